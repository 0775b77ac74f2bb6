// Keeps the page as the server shows it: loads it again and again, and changes what differs.
"use strict";

const PAUSE = 1000;
const MOST_LINES = 5000;
const live = document.getElementById("live");
const notice = document.getElementById("notice");

/** Make a node like a fresh one and keep what is equal, so that focus and reading position stay. */
function renew(node, fresh) {
  if (node.isEqualNode(fresh)) return;
  if (node.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
    node.data = fresh.data;
  } else if (node.nodeName !== fresh.nodeName || node.id !== fresh.id) {
    node.replaceWith(fresh);
  } else {
    for (const name of node.getAttributeNames()) if (!fresh.hasAttribute(name)) node.removeAttribute(name);
    for (const name of fresh.getAttributeNames()) node.setAttribute(name, fresh.getAttribute(name));
    const [old, young] = [[...node.childNodes], [...fresh.childNodes]];
    if (old.length === young.length) old.forEach((child, index) => renew(child, young[index]));
    else node.replaceChildren(...young);
  }
}

function renewParts(fresh) {
  const focused = document.activeElement.id;
  for (const part of document.querySelectorAll("[data-live]")) renew(part, fresh.getElementById(part.id));
  if (!focused || document.activeElement.id === focused) return;
  const target = document.getElementById(focused) ?? document.getElementById("main");
  target.focus({ preventScroll: true });
}

function renewLog(fresh) {
  const log = document.getElementById("log");
  if (!log?.hasAttribute("data-follows")) return;
  if (log.dataset.log !== fresh.dataset.log) {
    log.replaceWith(fresh);
    fresh.scrollTop = fresh.scrollHeight;
    notice.textContent = `${fresh.getAttribute("aria-label")} is shown now.`;
    return;
  }
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 20;
  for (const line of [...fresh.children]) {
    const known = document.getElementById(line.id);
    if (known) renew(known, line);
    else log.append(line);
  }
  while (log.children.length > MOST_LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Load the page and take over what is new; say whether there may be more. */
async function look() {
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
  renewParts(fresh);
  renewLog(fresh.getElementById("log"));
  return Boolean(fresh.querySelector("script"));
}

async function keepLooking() {
  let goesOn = true;
  try {
    if (live.checked && !document.hidden) goesOn = await look();
  } catch {
    notice.textContent = "The local DLI does not answer.";
    notice.dataset.silent = "true";
  }
  if (goesOn) setTimeout(keepLooking, PAUSE);
  else live.parentElement.hidden = true;
}

live.parentElement.hidden = false;
const log = document.getElementById("log");
if (log?.hasAttribute("data-follows")) log.scrollTop = log.scrollHeight;
setTimeout(keepLooking, PAUSE);
