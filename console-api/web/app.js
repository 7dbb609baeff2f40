// Progressive enhancement: every page works without scripts.
import { alerts } from './alerts.js';
import { busyState } from './busy.js';
import { cells } from './cells.js';
import { chart } from './chart.js';
import { complete } from './complete.js';
import { copying } from './copy.js';
import { adopt, announce, fetchPage } from './dom.js';
import { drawer } from './drawer.js';
import { keys } from './keys.js';
import { live } from './live.js';
import { search } from './search.js';
import { selection } from './selection.js';
import { times } from './times.js';

function themeSwitch(button) {
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const name = () => { button.textContent = dark() ? 'Light' : 'Dark'; };
  button.hidden = false;
  name();
  button.addEventListener('click', () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    localStorage.setItem('theme', root.dataset.theme);
    name();
  });
}

/** Loads a part that takes longer than the page. */
async function load(part) {
  const { page, ok } = await fetchPage(part.dataset.load, { isQuiet: true });
  const loaded = adopt(page, `#${part.id}`);
  if (!ok || !loaded) return;
  part.replaceWith(loaded);
  document.dispatchEvent(new CustomEvent('loaded', { detail: loaded }));
}

/** Polls a running job until it ends. */
async function follow(part) {
  await new Promise((later) => { setTimeout(later, 1000); });
  const { page, ok } = await fetchPage(location.href, { isQuiet: true });
  const now = adopt(page, `#${part.id}`);
  if (!ok || !now) return;
  part.replaceWith(now);
  if (now.matches('[data-follow]')) follow(now); else announce('Done');
}

for (const button of document.querySelectorAll('[data-theme-switch]')) themeSwitch(button);
for (const part of document.querySelectorAll('[data-load]')) load(part);
for (const part of document.querySelectorAll('[data-follow]')) follow(part);
document.querySelector('.sections [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
copying();
cells();
chart();
drawer();
keys();
search();
complete();
live();
alerts();
times();
selection();
// After the others: what they handle does not leave the page.
busyState();
