// When the list of one connection is read: chosen in words, looked at before it is saved, in force at once.

import { post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { clock, day } from '../format.js';
import { field } from './alone.js';
import { readSchedule, usualWords } from './schedule_words.js';

/**
 * @param {import('../app.js').Params} p @param {any} line a connection that is read @param {string} home the site's zone
 * @param {{saved: () => void, closed: () => void}} on
 */
export function scheduleForm(p, line, home, on) {
  const base = `/api/sites/${p.site.site}/connections/${encodeURIComponent(line.connection)}/schedule`;
  const was = readSchedule(line.schedule);
  const said = h('div.said', { role: 'alert' }), coming = h('p.plan-next', { role: 'status' });
  let timer = 0, turn = 0;

  const kinds = /** @type {[string, string][]} */ ([['usual', `As usual: ${usualWords(line)}`], ['hours', 'Every so many hours'], ['daily', 'Every day at'], ['weekdays', 'Monday to Friday at'], ['own', 'As I write it (cron)']]);
  const kind = select('kind', 'When', kinds, was.kind);
  const hours = field('How many hours', h('input.in', { name: 'hours', type: 'number', min: 1, max: 168, value: String(was.hours ?? 6) }), { help: 'From 1 to 168, which is a week.' });
  const time = field('At', h('input.in', { name: 'time', type: 'time', value: was.time ?? '18:30' }), {});
  const own = field('Five fields', h('input.in', { name: 'schedule', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', value: was.own ?? '30 18 * * *' }),
    { help: 'Minute, hour, day of the month, month, day of the week.' });
  // What goes by clocks goes by those of the site, unless somebody has said otherwise.
  const zoneNow = line.schedule ? line.schedule_zone ?? '' : 'site';
  const zones = /** @type {[string, string][]} */ ([['site', `This site’s clocks (${home})`], ['', 'UTC, the same all year']]);
  if (zoneNow && zoneNow !== 'site') zones.push([zoneNow, zoneNow]);
  const zone = select('schedule_zone', 'By whose clocks', zones, zoneNow);
  const save = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'Save'));

  const wish = () => {
    const [hh, mm] = time.input.value.split(':').map(Number);
    const schedule = { usual: '', hours: `every ${hours.input.value || '?'} hours`, daily: `${mm} ${hh} * * *`, weekdays: `${mm} ${hh} * * 1-5`, own: own.input.value.trim() }[kind.input.value] ?? '';
    return { schedule, schedule_zone: kind.input.value === 'usual' || kind.input.value === 'hours' ? '' : zone.input.value };
  };

  function shown() {
    const k = kind.input.value;
    hours.el.hidden = k !== 'hours';
    time.el.hidden = k !== 'daily' && k !== 'weekdays';
    own.el.hidden = k !== 'own';
    zone.el.hidden = k === 'usual' || k === 'hours';
  }

  /** @param {any} error */
  function refused(error) {
    const at = [own, hours, time, zone].find((f) => !f.el.hidden && (f.input.name === error.field || (error.field === 'schedule' && f !== zone)));
    fill(said);
    if (at) at.say(error.message); else if (error.code !== 'signed_out') fill(said, h('p.note.bad', null, icon('alert', 's'), h('span', null, error.message)));
    return at;
  }

  async function look() {
    const mine = ++turn;
    try {
      const { next } = await post(`${base}/preview`, wish());
      if (mine !== turn) return;
      for (const f of [own, hours, time, zone]) f.say(null);
      fill(said);
      fill(coming, icon('clock', 's'), h('span', null, 'Next: ', next.map((/** @type {string} */ at, /** @type {number} */ n) => [n > 0 && ' · ', h('b', null, `${day(at)}, ${clock(at)}`)])));
    } catch (error) { if (mine === turn) { fill(coming); refused(error); } }
  }

  const el = h('form.form.plan-form', { novalidate: true, autocomplete: 'off', 'aria-label': `When ${line.name} is read`, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (save.hasAttribute('aria-disabled')) return;
    save.setAttribute('aria-disabled', 'true');
    try {
      await post(base, wish());
      p.app.toast('Saved. It holds from now on.');
      on.saved();
    } catch (error) { refused(error)?.input.focus(); }
    save.removeAttribute('aria-disabled');
  }, onkeydown: (/** @type {KeyboardEvent} */ e) => { if (e.key === 'Escape') { e.stopPropagation(); on.closed(); } } },
  h('div.plan-fields', null, kind.el, hours.el, time.el, own.el, zone.el), coming, said,
  h('div.acts', null, save, h('button.btn', { type: 'button', onclick: () => on.closed() }, 'Not now')));
  el.addEventListener('input', () => { shown(); clearTimeout(timer); timer = setTimeout(look, 250); });
  shown();
  look();
  return { el, focus: () => kind.input.focus(), stop: () => { clearTimeout(timer); turn++; } };
}

/** @param {string} name @param {string} label @param {[string, string][]} options @param {string} value */
const select = (name, label, options, value) => field(label, h('select.in', { name }, options.map(([id, word]) => h('option', { value: id, selected: id === value }, word))));
