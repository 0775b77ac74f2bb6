// Keeps the page up to date: loads it again every second and changes only what differs.
"use strict";

const POLL_INTERVAL = 1000;
const MAX_LINES = 5000;
const live = document.getElementById("live");
const notice = document.getElementById("notice");

/** Make a node equal to a fresh one. Equal parts stay, so focus and reading position stay, too. */
function update(node, fresh) {
  if (node.isEqualNode(fresh)) return;
  if (node.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
    node.data = fresh.data;
  } else if (node.nodeName !== fresh.nodeName || node.id !== fresh.id) {
    node.replaceWith(fresh);
  } else {
    for (const name of node.getAttributeNames()) if (!fresh.hasAttribute(name)) node.removeAttribute(name);
    for (const name of fresh.getAttributeNames()) node.setAttribute(name, fresh.getAttribute(name));
    const [old, newNodes] = [[...node.childNodes], [...fresh.childNodes]];
    if (old.length === newNodes.length) old.forEach((child, index) => update(child, newNodes[index]));
    else node.replaceChildren(...newNodes);
  }
}

function updateParts(fresh) {
  const focused = document.activeElement.id;
  for (const part of document.querySelectorAll("[data-live]")) update(part, fresh.getElementById(part.id));
  if (!focused || document.activeElement.id === focused) return;
  const target = document.getElementById(focused) ?? document.getElementById("main");
  target.focus({ preventScroll: true });
}

function updateLog(fresh) {
  const log = document.getElementById("log");
  if (!log?.hasAttribute("data-follows")) return;
  if (log.dataset.log !== fresh.dataset.log) {
    log.replaceWith(fresh);
    fresh.scrollTop = fresh.scrollHeight;
    notice.textContent = `Now showing: ${fresh.getAttribute("aria-label")}.`;
    return;
  }
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 20;
  for (const line of [...fresh.children]) {
    const known = document.getElementById(line.id);
    if (known) update(known, line);
    else log.append(line);
  }
  while (log.children.length > MAX_LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Load the page and show what is new. Return whether the page can still change. */
async function refresh() {
  const reply = await fetch(location.href, { cache: "no-store" });
  if (!reply.ok) {
    location.reload();
    return false;
  }
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  if (!live.checked) return true;
  if (notice.dataset.silent) {
    notice.textContent = "The local DLI answers again.";
    delete notice.dataset.silent;
  }
  document.title = fresh.title;
  updateParts(fresh);
  updateLog(fresh.getElementById("log"));
  return Boolean(fresh.querySelector("script[src$='/page.js']"));
}

async function poll() {
  let continues = true;
  try {
    if (live.checked && !document.hidden) continues = await refresh();
  } catch {
    notice.textContent = "The local DLI does not answer.";
    notice.dataset.silent = "true";
  }
  if (continues) setTimeout(poll, POLL_INTERVAL);
  else live.parentElement.hidden = true;
}

live.parentElement.hidden = false;
const log = document.getElementById("log");
if (log?.hasAttribute("data-follows")) log.scrollTop = log.scrollHeight;
setTimeout(poll, POLL_INTERVAL);
