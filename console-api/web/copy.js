// Copy buttons: the address of the page with fixed times, a value, or the text next to the button.
import { announce, element } from './dom.js';

async function copy(button, text) {
  const title = button.textContent;
  await navigator.clipboard.writeText(text);
  announce('Copied');
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = title; }, 1500);
}

export function copying(root = document) {
  for (const button of root.querySelectorAll('[data-copy-address]')) {
    button.hidden = false;
    button.addEventListener('click', () => copy(button, new URL(button.dataset.copyAddress, location.href).href));
  }
  for (const button of root.querySelectorAll('[data-copy-text]')) {
    button.hidden = false;
    button.addEventListener('click', () => copy(button, button.dataset.copyText));
  }
  for (const text of root.querySelectorAll('pre[data-copy]')) {
    const title = text.dataset.copy || 'Copy';
    const button = element('button', { type: 'button', class: 'copy', click: () => copy(button, text.textContent) }, title);
    text.before(button);
  }
}
