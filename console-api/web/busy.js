// Busy state: a pressed link or button, and a bar at the top, until the next page or the answer is there.

/** The elements that a click made busy. */
const busy = new Set();
let pending = 0;

export function busyState() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href]');
    const leaves = link && !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey
      && link.origin === location.origin && !link.hasAttribute('download') && !link.target && !isHere(link);
    if (leaves) press(link);
  });
  document.addEventListener('submit', (event) => {
    // A form that leaves the drawer answers with a file.
    if (!event.defaultPrevented && event.target.method !== 'dialog' && !event.target.hasAttribute('data-leave')) press(event.submitter ?? event.target);
  });
  // A page that the browser kept is shown as it was left; Esc and "Stop" end the load without an event.
  addEventListener('pageshow', release);
  addEventListener('keydown', (event) => { if (event.key === 'Escape') release(); });
}

/** Whether the link leads to a part of this page. */
function isHere(link) {
  return link.hash !== '' && link.pathname === location.pathname && link.search === location.search;
}

function press(pressed) {
  pressed.setAttribute('aria-busy', 'true');
  busy.add(pressed);
  show();
}

function release() {
  for (const pressed of busy) pressed.removeAttribute('aria-busy');
  busy.clear();
  show();
}

/** Shows the bar until a fetch ends. */
export async function waiting(fetching) {
  pending += 1;
  show();
  try {
    return await fetching;
  } finally {
    pending -= 1;
    show();
  }
}

function show() {
  document.documentElement.classList.toggle('busy', pending > 0 || busy.size > 0);
}
