// When the lists of platforms are read, and what each reading brought. The upper part is the plan, a line for each connection,
// changed in place; the lower one the readings, the newest first.

import { get } from '../api.js';
import { h, fill, icon, styles } from '../dom.js';
import { clock, connections, count, exact, plural, when, zoneName } from '../format.js';
import { nothing } from '../parts/nothing.js';
import { openRun, readNow, stopRun } from '../parts/run_panel.js';
import { brought, progressOf, runMark, took } from '../parts/run_words.js';
import { sidePanel } from '../parts/side_panel.js';
import { scheduleForm } from '../parts/schedule_form.js';
import { setWords } from '../parts/schedule_words.js';
import { createList, createTable } from '../parts/table.js';

export const title = 'Runs';

export const ready = styles(new URL('../css/runs.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { filters: ['connection', 'status'], rows: true };

const STATUSES = ['running', 'success', 'partial', 'failed', 'cancelled', 'broken_off'];
const key = (/** @type {any} */ row) => row.run;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  const base = `/api/sites/${site.site}`;
  /** @type {any[]} */ let plan = [];
  let home = '', asked = '', timer = 0, gone = false, turn = 0;
  /** The line whose form is open. @type {{connection: string, form: ReturnType<typeof scheduleForm>}|null} */ let editing = null;

  const lines = h('div.plan');
  const table = createTable({ label: `Readings, times in ${zoneName()}`, columns: columns(), key, classes: 't-runs',
    href: (row) => app.href('runs', p.view, row.run), open: (row) => app.navigate(app.href('runs', p.view, row.run)),
    onfilter: (dim, value, not) => app.go(p.view.plus(dim, value, not)) });
  const list = createList({ url: `${base}/runs`, what: 'readings', table, key, empty, answered: () => { app.figuresAt = list.fetchedAt || new Date().toISOString(); panel.mark(); } });
  const panel = sidePanel({ now: () => p, path: 'runs', table, open: (id, closed) => openRun(p, id, { changed: refresh, closed }) });

  function empty() {
    return nothing(() => p, { none: 'No reading fits.', all: 'Show all readings', days: '', first: () => h('div.empty', null, icon('clock'),
      h('p', null, h('b', null, 'Each reading will stand here,'), ' with what it brought and what went wrong.')) });
  }

  async function load() {
    const mine = ++turn;
    try {
      const answer = await get(`${base}/schedules`);
      if (gone || mine !== turn) return;
      plan = answer.items;
      home = answer.zone;
      for (const line of plan) connections.set(line.connection, line.name);
      drawPlan();
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || mine !== turn || err.code === 'signed_out' || plan.length) return;
      fill(lines, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'The plan could not be fetched.'), ` ${err.message} Readings go on.`),
        h('button.btn', { type: 'button', onclick: load }, 'Try again')));
    }
  }

  function drawPlan() {
    // What is typed stays where it is.
    const focus = lines.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    const inForm = !!editing?.form.el.contains(document.activeElement);
    if (!plan.length) {
      fill(lines, h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'Nothing of yours is read at set times yet.'),
        ' Shops, calendars, meetings and ticket services are asked again and again for what they have, so that nothing is missed. Connect one, and its times stand here.'),
      h('div.acts', null, h('a.btn', { href: app.href('connections') }, 'Connections'))));
      return;
    }
    if (editing && !plan.some((line) => line.connection === editing?.connection)) closeForm();
    if (inForm) return;
    fill(lines, h('ul', null, plan.map(drawLine)));
    if (focus) /** @type {HTMLElement|null} */ (lines.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus();
  }

  /** @param {any} line */
  function drawLine(line) {
    const works = line.status === 'ok' || line.status === 'needs_attention', run = line.under_way;
    const button = (/** @type {string} */ word, /** @type {string} */ sign, /** @type {string} */ name, /** @type {() => void} */ act) => h('button.btn.small', { type: 'button', 'data-focus': `${word}-${line.connection}`, onclick: act },
      icon(sign, 's'), name, h('span.vh', null, ` ${line.name}`));
    return h('li', { 'data-connection': line.connection }, h('div.plan-line', null,
      h('div.plan-name', null, h('a', { href: app.href('connections', undefined, line.connection) }, h('bdi', null, line.name)), h('span.quiet', null, setWords(line, home))),
      h('div.plan-times', null,
        run ? progressOf(run) : h('p', null, ...nextWords(line, works)),
        line.last && h('p.quiet', null, runMark(line.last), h('span', { 'data-tip': exact(line.last.ended_at) }, ` ${when(line.last.ended_at)}`), line.last.status === 'failed' ? '' : `: ${brought(line.last)}`),
        line.sentence && h('p.plan-trouble', null, icon('alert', 's'), h('span', null, line.sentence))),
      p.may && h('div.plan-acts', null,
        run ? button('stop', 'stop', 'Stop', () => stopRun(p, run, refresh)) : works && button('read', 'down', 'Read now', async () => { await readNow(p, line); refresh(); }),
        button('plan', 'calendar', 'Change', () => openForm(line)))),
    editing?.connection === line.connection && editing?.form.el);
  }

  /** @param {any} line @param {boolean} works */
  function nextWords(line, works) {
    if (!works) return [icon('pause', 's'), ' Not read while it is ', line.status === 'paused' ? 'paused' : 'not set up', '.'];
    if (line.is_late) return [icon('alert', 's warn'), ' Late: it should have been read ', when(line.next_at), '. It is tried again by itself.'];
    if (!line.next_at || new Date(line.next_at).getTime() - Date.now() < 20000) return ['Next: in a moment'];
    return ['Next: ', h('b', { 'data-tip': exact(line.next_at) }, when(line.next_at))];
  }

  /** @param {any} line */
  function openForm(line) {
    const isSame = editing?.connection === line.connection;
    closeForm();
    if (isSame) { drawPlan(); return; }
    const back = () => { closeForm(); drawPlan(); /** @type {HTMLElement|null} */ (lines.querySelector(`[data-focus="plan-${CSS.escape(line.connection)}"]`))?.focus(); };
    editing = { connection: line.connection, form: scheduleForm(p, line, home, { closed: back, saved: () => { back(); refresh(); } }) };
    drawPlan();
    editing.form.focus();
  }

  function closeForm() {
    editing?.form.stop();
    editing?.form.el.remove();
    editing = null;
  }

  function refresh() {
    load();
    list.refresh(true);
    panel.it?.refresh();
  }

  /** @param {boolean} [force] */
  function loadRuns(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.drawHead('', '');
    list.load(ask);
  }

  app.suggest = (dim) => (dim === 'status' ? STATUSES.map((value) => ({ value })) : plan.map((line) => ({ value: line.connection })));
  fill(lines, h('div.skeleton', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  fill(root, h('h1.vh', null, title),
    h('section.sheet.plan-sheet', { 'aria-label': 'When each is read' }, h('header', null, h('h2', null, 'When each is read'), h('span.tag.faint.zone', null, zoneName())), lines),
    h('section.sheet.ledger', { 'aria-label': 'Readings' }, h('header', null, h('h2', null, 'Readings')), list.el));
  load();
  loadRuns(true);
  panel.show();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString() && next.id === p.id; p = next; loadRuns(came); if (came) load(); panel.show(); },
    /** @param {string} name */
    live(name) { if (name !== 'connection' && name !== 'again') return; timer ||= setTimeout(() => { timer = 0; if (!gone) refresh(); }, 500); },
    key: (/** @type {KeyboardEvent} */ e) => (panel.it ? false : table.key(e)),
    leave() { gone = true; clearTimeout(timer); closeForm(); panel.leave(); list.stop(); },
  };
}

/** @returns {import('../parts/table.js').Column[]} */
function columns() {
  const figure = (/** @type {number} */ n) => (n ? count(n) : h('span.faint', null, '0'));
  return [
    { id: 'began', head: 'Began', rowHead: true, cell: (r) => h('span', { 'data-tip': exact(r.began_at) }, when(r.began_at)) },
    { id: 'name', head: 'Connection', filter: (r) => ({ dim: 'connection', value: r.connection }), cell: (r) => h('bdi', null, r.name) },
    { id: 'status', head: 'Stands', filter: (r) => ({ dim: 'status', value: r.status }), cell: (r) => runMark(r) },
    { id: 'message', head: 'Said', classes: 'quiet hide-l', cell: (r) => h('bdi.cut', { 'data-tip': r.messages[0] ?? null }, r.messages[0] ?? '') },
    { id: 'read', head: 'Read', classes: 'num hide-s', cell: (r) => h('span', { 'data-tip': plural(r.pages, 'page') }, figure(r.processed)) },
    { id: 'new', head: 'New', classes: 'num', cell: (r) => h('span.many', { 'data-word': ' new' }, figure(r.created)) },
    { id: 'changed', head: 'Changed', classes: 'num hide-s', cell: (r) => figure(r.updated) },
    { id: 'errors', head: 'Errors', classes: 'num hide-s', cell: (r) => figure(r.errors) },
    { id: 'took', head: 'Took', classes: 'num', cell: (r) => (r.ended_at ? took(r.duration_s) : h('span.faint', null, `${clock(r.began_at)} –`)) },
  ];
}
