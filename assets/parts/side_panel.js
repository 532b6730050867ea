// The panel beside a list: open while the address names a row, closed with it, and the row has the focus again.

/**
 * @typedef {{id: string, close: () => void}} Panel
 */

/**
 * @template {Panel} P
 * @param {{now: () => import('../app.js').Params, path: string, table: {current?: (id: string|null) => void, focus: (id: string) => void},
 *   open: (id: string, closed: (id: string) => void) => P|null}} of `open` makes the panel of a row and calls `closed` when somebody closes it; where
 *   there is nothing to open the address forgets it
 */
export function sidePanel({ now, path, table, open }) {
  /** @type {P|null} */ let panel = null;

  /** @param {string} id */
  function closed(id) {
    if (panel?.id !== id) return;
    panel = null;
    table.current?.(null);
    const { app, view, id: shown } = now();
    if (shown === id) app.navigate(app.href(path, view), { replace: true });
    table.focus(id);
  }

  return {
    /** What is open. */
    get it() { return panel; },
    /** Marks the row of what is open, in a list that was drawn anew. */
    mark() { table.current?.(panel?.id ?? null); },
    /** What the address says. */
    show() {
      const { app, view, id } = now();
      if (!id) { panel?.close(); return; }
      if (panel?.id === id) return;
      const before = panel;
      panel = null;
      before?.close();
      panel = open(id, closed);
      if (panel) table.current?.(id);
      else app.navigate(app.href(path, view), { replace: true });
    },
    /** With the page: nothing is to be shown again. */
    leave() { const open = panel; panel = null; open?.close(); },
  };
}
