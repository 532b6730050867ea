// One reading of a platform's list: how it stands, what it brought, all that was said in it, and the button that stops it.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { count, exact, plural } from '../format.js';
import { openDialog, dialogHead, confirm } from './menu.js';
import { ASKED, progressOf, runMark, took } from './run_words.js';

/**
 * @param {import('../app.js').Params} p @param {string} id @param {{changed: () => void, closed: (id: string) => void}} on
 */
export function openRun(p, id, on) {
  const base = `/api/sites/${p.site.site}`, url = `${base}/runs/${encodeURIComponent(id)}`;
  const box = h('div.rc.run');
  const { el, close } = openDialog({ label: 'Reading', slide: 'side', onclose: () => on.closed(id) }, box);

  async function show() {
    try {
      const run = await get(url);
      if (el.open) draw(run);
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (err.code === 'signed_out') return;
      fill(box, dialogHead('Reading', close), h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, err.status === 404 ? 'There is no reading at this address.' : 'This reading could not be fetched.'), err.status === 404 ? ' They are kept for 90 days.' : ` ${err.message}`)));
    }
  }

  /** @param {any} run */
  function draw(run) {
    const focus = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    const line = (/** @type {string} */ name, /** @type {import('../dom.js').Kid} */ inside) => h('div.rc-line', null, h('h3', null, name), h('div', null, inside));
    const isOn = run.ended_at === null;
    const u = run.usual;
    fill(box, dialogHead(/** @type {any} */ (h('bdi', null, run.name)), close), h('div.rc-body', null,
      isOn && h('div.rc-wide', null, progressOf(run)),
      run.progress?.sentence && h('div.rc-wide', null, h('p.note.warn', null, icon('alert', 's'), h('span', null, run.progress.sentence))),
      line('Stands', runMark(run)),
      line('Began', [h('span', null, exact(run.began_at)), h('span.quiet', null, ASKED[run.asked] ?? run.asked)]),
      line('Took', [h('span', null, isOn ? `${took(run.duration_s)} so far` : took(run.duration_s)), u && h('span.quiet', null, `Usually ${took(u.duration_s)} for ${plural(u.processed, 'record')}`)]),
      line('Read', h('span', null, h('b', null, plural(run.processed, 'record')), ` in ${plural(run.pages, 'page')}`)),
      line('New', h('b', null, count(run.created))), line('Changed', count(run.updated)), line('Known already', count(run.skipped)), line('Errors', run.errors ? h('b', null, count(run.errors)) : '0'),
      run.messages.length > 0 && h('div.rc-wide', null, h('h3', null, 'What was said'), h('ul.run-said', null, run.messages.map((/** @type {string} */ m) => h('li', null, h('bdi', null, m))))),
      (run.status === 'failed' || run.status === 'partial') && h('div.rc-wide', null, h('p.quiet', null, 'Nothing that was stored is lost. The next reading goes on from there; what comes twice counts once.'))),
    p.may && h('footer.rc-foot', null, isOn ? h('button.btn', { type: 'button', 'data-focus': 'run-stop', onclick: () => stopRun(p, run, () => { show(); on.changed(); }) }, icon('stop', 's'), 'Stop it')
      : h('button.btn', { type: 'button', 'data-focus': 'run-again', onclick: () => again(run) }, icon('again', 's'), 'Read now')));
    if (focus) /** @type {HTMLElement|null} */ (box.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus();
  }

  /** @param {any} run */
  async function again(run) {
    await readNow(p, run);
    on.changed();
  }

  fill(box, dialogHead('Reading', close), h('div.skeleton', null, Array.from({ length: 7 }, () => h('i'))));
  show();
  return { id, close, refresh: show };
}

/** @param {import('../app.js').Params} p @param {{connection: string, name: string}} c */
export async function readNow(p, c) {
  try {
    const answer = await post(`/api/sites/${p.site.site}/connections/${encodeURIComponent(c.connection)}/pull`, {});
    p.app.toast(answer.is_begun ? `${c.name} is read now.` : `${c.name} is not read: it does not work at the moment.`);
  } catch (error) { p.app.toast(`Not read. ${/** @type {any} */ (error).message}`); }
}

/** @param {import('../app.js').Params} p @param {any} run @param {() => void} done */
export async function stopRun(p, run, done) {
  const yes = await confirm({ title: `Stop reading ${run.name}?`, yes: 'Stop it', text: h('p', null, 'What was stored until now stays. The next reading goes on from there.') });
  if (!yes) return;
  try {
    const answer = await post(`/api/sites/${p.site.site}/runs/${encodeURIComponent(run.run)}/cancel`, {});
    p.app.toast(answer.ended_at ? 'Stopped.' : 'It stops before its next page.');
  } catch (error) {
    const err = /** @type {any} */ (error);
    p.app.toast(err.code === 'run_has_ended' ? 'It has come to its end already.' : `Not stopped. ${err.message}`);
  }
  done();
}
