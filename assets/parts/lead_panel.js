// One lead: where it stands, what it is worth, who was told, and the way it went.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { money, bare, exact, platform, statusWord, ownCurrency, toldSentence } from '../format.js';
import { openDialog, dialogHead, confirm } from './menu.js';
import { field } from './alone.js';
import { stateMark } from './table.js';
import { STAGES } from '../pages/leads.js';

/** @param {string} stage */
const stageName = (stage) => STAGES.find(([id]) => id === stage)?.[1] ?? statusWord(stage);

/**
 * Moves a lead and says who is told. Asks first what a sale was worth. Gives the lead as it is then, or null.
 * @param {import('../app.js').Params} p @param {any} lead @param {string} stage
 */
export async function moveLead(p, lead, stage) {
  /** @type {Record<string, any>} */ const body = { status: stage };
  if (stage === 'won' && !lead.value) {
    const input = /** @type {HTMLInputElement} */ (h('input.in', { name: 'worth', inputmode: 'decimal', autocomplete: 'off' }));
    const asked = confirm({ title: 'What was it worth?', yes: 'Won', text: [
      field(`Value in ${ownCurrency()}`, input, { help: 'Leave it empty if nobody knows yet. It goes along to the ad platforms.' }).el] });
    input.focus();
    input.addEventListener('keydown', (e) => { if (e.key === 'Enter') { e.preventDefault(); /** @type {HTMLElement|null} */ (input.closest('dialog')?.querySelector('.btn.main'))?.click(); } });
    const yes = await asked;
    if (!yes) return null;
    if (input.value.trim()) body.value = input.value.trim().replace(',', '.');
  }
  try {
    const moved = await post(`/api/sites/${p.site.site}/leads/${lead.id}`, body);
    p.app.toast(`${stageName(stage)}.${toldNow(moved, stage)}`);
    return moved;
  } catch (error) {
    p.app.toast(`Not moved. ${/** @type {any} */ (error).message}`);
    return null;
  }
}

/** Who will hear of it, in a sentence. @param {any} lead @param {string} stage */
function toldNow(lead, stage) {
  const of = lead.deliveries.filter((/** @type {any} */ d) => d.kind.toLowerCase().replace(/[^a-z]/g, '').match(stage === 'won' ? /won|closeconvert/ : /qualif/));
  if (!['won', 'qualified'].includes(stage) || !of.length) return '';
  const names = (/** @type {(d: any) => boolean} */ is) => [...new Set(of.filter(is).map((/** @type {any} */ d) => platform(d.platform)))].join(', ');
  const now = names((d) => d.mode !== 'shadow' && ['pending', 'leased', 'delivered', 'accepted'].includes(d.state));
  if (now) return ` Told: ${now}.`;
  if (names((d) => d.reason === 'consent')) return ' Nobody is told: marketing consent was refused.';
  return names((d) => d.mode === 'shadow') ? ' In shadow: built, not sent.' : '';
}

/**
 * @param {import('../app.js').Params} p @param {string} id @param {{changed: () => void, closed: (id: string) => void}} on
 */
export function openLead(p, id, on) {
  const box = h('div.rc.lead');
  const { el, close } = openDialog({ label: 'Lead', slide: 'side', onclose: () => on.closed(id) }, box);

  async function show() {
    try {
      const lead = await get(`/api/sites/${p.site.site}/leads/${encodeURIComponent(id)}`);
      if (el.open) draw(lead);
    } catch (error) {
      const err = /** @type {any} */ (error);
      fill(box, dialogHead('Lead', close), h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, err.status === 404 ? 'There is no lead at this address.' : 'This lead could not be fetched.'), err.status === 404 ? '' : ` ${err.message}`)));
    }
  }

  /** @param {any} lead */
  function draw(lead) {
    const line = (/** @type {string} */ name, /** @type {import('../dom.js').Kid} */ inside) => h('div.rc-line', null, h('h3', null, name), h('div', null, inside));
    const who = lead.who.display ?? lead.who.name ?? 'no address given';
    fill(box, dialogHead(/** @type {any} */ (h('bdi', null, who)), close), h('div.rc-body', null,
      line('Stands at', p.may ? stages(lead) : statusWord(lead.status)),
      line('Worth', p.may ? worth(lead) : lead.value ? money(lead.value) : 'not known'),
      line('Came in', [h('span', null, exact(lead.created_at)), h('span.quiet', null, h('bdi', null, lead.form_type), `, ${platform(lead.source)}`)]),
      line('Behind it', [lead.conversion && h('a.go', { href: p.app.href('conversions', undefined, lead.conversion) }, 'The receipt: where it came from'),
        lead.who.contact && h('a.go', { href: p.app.href('people', undefined, lead.who.contact) }, 'The person')]),
      line('Told', lead.deliveries.length ? h('ul', null, lead.deliveries.map((/** @type {any} */ d) => h('li', { 'data-tip': toldSentence(d) },
        `${platform(d.platform)}, ${d.kind} `, stateMark(d)))) : h('span.faint', null, 'Nobody is connected that could be told.')),
      line('The way it went', h('ol.way', null, lead.history.map((/** @type {any} */ c) => h('li', null,
        h('span', null, c.from === c.to ? 'Value changed' : `${stageName(c.from)} → ${stageName(c.to)}`, c.value ? `, ${money(c.value)}` : ''),
        h('span.faint', null, `${exact(c.at)}, ${c.who}`))), h('li', null, h('span', null, 'New'), h('span.faint', null, exact(lead.received_at)))))));
  }

  /** @param {any} lead */
  function stages(lead) {
    return h('div.seg.stages', { role: 'group', 'aria-label': 'Where it stands' }, STAGES.map(([stage, name, note]) => h('button', {
      type: 'button', 'aria-pressed': String(lead.status === stage), 'data-tip': note, 'data-stage': stage,
      onclick: async () => {
        if (stage === lead.status) return;
        const moved = await moveLead(p, lead, stage);
        if (!moved) return;
        draw(moved);
        /** @type {HTMLElement|null} */ (box.querySelector(`[data-stage="${stage}"]`))?.focus();
        on.changed();
      } }, name)));
  }

  /** @param {any} lead */
  function worth(lead) {
    const currency = lead.value?.currency ?? ownCurrency();
    const input = /** @type {HTMLInputElement} */ (h('input.in', { name: 'value', inputmode: 'decimal', autocomplete: 'off', value: lead.value ? bare(lead.value).replaceAll(',', '') : '' }));
    const save = /** @type {HTMLButtonElement} */ (h('button.btn.small', { type: 'submit' }, 'Save'));
    const f = field(`In ${currency}`, input, { help: 'Empty where nobody knows.', side: save });
    return h('form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
      e.preventDefault();
      save.disabled = true;
      try {
        draw(await post(`/api/sites/${p.site.site}/leads/${lead.id}`, { value: input.value.trim() ? input.value.trim().replace(',', '.') : null, currency }));
        p.app.toast('Saved.');
        on.changed();
      } catch (error) { f.say(/** @type {any} */ (error).message); input.focus(); save.disabled = false; }
    } }, f.el);
  }

  fill(box, dialogHead('Lead', close), h('div.skeleton', null, Array.from({ length: 7 }, () => h('i'))));
  show();
  return { id, close, refresh: show };
}
