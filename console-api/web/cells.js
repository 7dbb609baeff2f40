// Value menu of the list; without scripts each value is a link that narrows the search.
import { announce, element } from './dom.js';

let open = null;

export function cells() {
  document.addEventListener('click', (event) => {
    const cell = event.target.closest('a.cell[data-q]');
    if (open && !event.target.closest('.menu')) close(false);
    if (!cell || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(cell);
  });
  document.addEventListener('keydown', (event) => {
    if (!open) return;
    if (event.key === 'Escape') {
      event.stopImmediatePropagation();
      close(true);
      return;
    }
    const items = [...open.menu.querySelectorAll('a, button')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }, true);
  addEventListener('scroll', () => open && close(false), { passive: true, capture: true });
}

/** The address of this search narrowed by a condition, which may be negated. */
export function narrowed(condition) {
  const list = document.querySelector('#results')?.dataset.list ?? '/attacks';
  const address = new URL(list, location.origin);
  const here = location.pathname === list ? new URLSearchParams(location.search) : new URLSearchParams(backdrop());
  here.delete('cursor');
  const base = document.querySelector('#q')?.dataset.base ?? '';
  here.set('q', `${base} ${condition}`.trim());
  address.search = here;
  return address;
}

/** The search of the list below the drawer. */
function backdrop() {
  return history.state?.search ?? '';
}

function show(cell) {
  const condition = cell.dataset.q;
  const menu = element('div', { class: 'menu', role: 'group', 'aria-label': condition },
    element('a', { href: narrowed(condition) }, 'Show only'),
    element('a', { href: narrowed(`-${condition}`) }, 'Exclude'),
    element('button', { type: 'button', click: () => copy(cell.textContent) }, 'Copy'),
    element('button', { type: 'button', click: () => copy(narrowed(condition).href) }, 'Copy as search'));
  const rect = cell.getBoundingClientRect();
  document.body.append(menu);
  const width = menu.offsetWidth;
  menu.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - width - 8))}px`;
  const below = rect.bottom + menu.offsetHeight + 8 < innerHeight;
  menu.style.top = `${below ? rect.bottom + 2 : rect.top - menu.offsetHeight - 2}px`;
  open = { menu, cell };
  menu.querySelector('a').focus();
}

async function copy(text) {
  await navigator.clipboard.writeText(text);
  announce('Copied');
  close(true);
}

function close(refocus) {
  open.menu.remove();
  if (refocus) open.cell.focus();
  open = null;
}
