// Finds the page of this browser's session. Its path is secret, so addresses without it (the link to a job on a screen)
// show nothing by themselves. A browser keeps this memory for each port, unlike cookies.
"use strict";

const KEY = "local DLI: path of the session";
const PATH = /^\/page\/[\w-]+$/; // another program that had this port before may have left anything
const own = document.currentScript.dataset.path;

/** Go on to the same address in the page of the session, if there is one. */
async function findPage() {
  const known = localStorage.getItem(KEY) ?? "";
  if (!PATH.test(known)) return;
  const reply = await fetch(`${known}/`, { method: "HEAD", cache: "no-store" });
  if (!reply.ok) {
    localStorage.removeItem(KEY);
    return;
  }
  const { pathname, search, hash } = location;
  const below = pathname === "/sign-in" ? "/" : pathname.replace(/^\/page\/[^/]*/, "") + search + hash;
  location.replace(known + below);
}

if (own) localStorage.setItem(KEY, own);
else findPage();
