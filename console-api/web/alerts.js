// Alerts of open pages: fetched again every few seconds while the page is visible.
import { adopt, fetchPage } from './dom.js';

const PAUSE = 3500;

export function alerts() {
  if (!document.querySelector('#alerts')) return;
  setInterval(async () => {
    if (document.hidden) return;
    // An unreachable console is no reason to change the page.
    const fetched = await fetchPage('/alerts', { isQuiet: true }).catch(() => null);
    const now = fetched?.ok && adopt(fetched.page, '#alerts');
    const shown = document.querySelector('#alerts');
    if (now && shown && now.textContent !== shown.textContent) shown.replaceWith(now);
  }, PAUSE);
}
