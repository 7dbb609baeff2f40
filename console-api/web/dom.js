// DOM helpers. The server escapes pages; scripts create only nodes and text.
import { waiting } from './busy.js';

/** Creates an element with attributes (functions become listeners) and children (nodes or text). */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

/** Fetches a page of the console as a separate document: its scripts do not run. `isQuiet`: without the bar of the busy state. */
export async function fetchPage(address, options = {}) {
  const fetching = fetch(address, { credentials: 'same-origin', ...options });
  const answer = await (options.isQuiet ? fetching : waiting(fetching));
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (new URL(answer.url).pathname === '/sign-in') location.assign(`/sign-in?${new URLSearchParams({ to: location.pathname + location.search })}`);
  return { page, address: answer.url, ok: answer.ok };
}

/** Adopts a part of a fetched page into this document. */
export function adopt(page, selector) {
  const part = page.querySelector(selector);
  return part && document.adoptNode(part);
}

/** Announces a change to screen readers. */
export function announce(text) {
  let region = document.querySelector('#announcement');
  if (!region) {
    region = element('p', { id: 'announcement', class: 'hidden', role: 'status' });
    document.body.append(region);
  }
  region.textContent = text;
}

export function isTyping(event) {
  return event.target.closest('input:not([type=checkbox]), select, textarea, [contenteditable]') !== null;
}
