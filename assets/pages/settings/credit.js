// Which model and windows the books use: first the effect, then the change.

import { get, post } from '../../api.js';
import { h, fill, icon, announce } from '../../dom.js';
import { MODELS, MODEL_NOTES, WINDOWS, windowName, count, plural, money, valueWord } from '../../format.js';
import { selectField, saveForm, panel } from '../../parts/form.js';

const KINDS = [['sale', 'Sales'], ['lead', 'Leads'], ['signup', 'Sign-ups'], ['custom', 'Own events']];

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/policy`;
  const now = await get(url);
  const words = WINDOWS.map((w) => /** @type {[string, string]} */ ([w, windowName(w)]));
  const model = selectField('model', 'Who gets the credit', Object.entries(MODELS).filter(([id]) => id !== 'first_non_direct'), now.model, MODEL_NOTES[now.model]);
  model.input.addEventListener('change', () => { model.el.querySelector('small')?.replaceChildren(MODEL_NOTES[model.input.value]); });
  const window = selectField('window', 'How far back', words, now.window, 'A visit before that earns nothing.');
  const kinds = KINDS.map(([kind, word]) => selectField(`windows-${kind}`, word, [['', 'the same'], ...words], now.windows[kind] ?? ''));
  const chats = selectField('chat_credit', 'Chats', [['', 'help, and earn nothing'], ['yes', 'earn like a visit']], now.chat_credit ? 'yes' : '', 'Whoever brought the customer keeps the credit, unless you say so.');
  const asked = () => ({ model: model.input.value, window: window.input.value, chat_credit: chats.input.value === 'yes',
    windows: Object.fromEntries(KINDS.map(([kind], i) => [kind, kinds[i].input.value]).filter(([, w]) => w)) });
  const effect = h('div', { 'aria-live': 'polite' });
  const form = saveForm({ fields: [model, window, chats], rest: h('fieldset.choices', null, h('legend', null, 'How far back, where it differs'), h('div.four', null, kinds.map((k) => k.el))),
    go: 'Show the effect', classes: 'cols', save: async () => {
      const wanted = asked();
      const seen = await post(`${url}/preview`, wanted);
      fill(effect, effectPanel(seen, async (past) => {
        const done = await post(url, { ...wanted, past });
        await p.app.refreshMe();
        p.app.updateBar();
        const said = past ? `Saved. ${plural(done.runs, 'conversion')} credited anew.` : 'Saved. It holds for what comes from now on.';
        fill(effect, h('p.note', null, icon('check', 's ok'), h('span', null, said)));
        announce(said);
      }));
      /** @type {HTMLElement|null} */ (effect.querySelector('h2'))?.focus();
    } });
  fill(root, panel('Credit', 'The books use one model and one window. Any other can be looked through at any time; this is the one that counts.', form), effect);
}

/** @param {any} seen @param {(past: boolean) => Promise<void>} apply */
function effectPanel(seen, apply) {
  const said = h('div.said', { role: 'alert' });
  const act = (/** @type {boolean} */ past, /** @type {string} */ word, /** @type {string} */ classes) => {
    const button = /** @type {HTMLButtonElement} */ (h(`button.btn${classes}`, { type: 'button', onclick: async () => {
      button.disabled = true;
      try { await apply(past); } catch (error) { fill(said, h('p.note.bad', null, icon('alert', 's'), h('span', null, /** @type {any} */ (error).message))); button.disabled = false; }
    } }, word));
    return button;
  };
  const part = (/** @type {any} */ x) => [h('td.num', null, count(Math.round(x.conversions * 100) / 100)), h('td.num', null, x.net.length ? x.net.map(money).join(' ') : '–')];
  return panel('Before and after', seen.moved ? `${plural(seen.moved, 'conversion')} of ${count(seen.conversions)} would be credited to another visit. Nothing is changed yet.`
    : `Nothing would move: all ${plural(seen.conversions, 'conversion')} stay where they are.`,
  seen.items.length > 0 && h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Before and after by source' }, h('table.t.effect', null,
    h('caption.vh', null, 'Conversions and net money by source, before and after'),
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Source'), h('th.num', { scope: 'col' }, 'Now'), h('th.num', { scope: 'col' }, 'Net now'),
      h('th.num', { scope: 'col' }, 'Then'), h('th.num', { scope: 'col' }, 'Net then'))),
    h('tbody', null, seen.items.map((/** @type {any} */ r) => h('tr', null, h('th', { scope: 'row' }, h('bdi', null, valueWord('source', r.source))), part(r.before), part(r.after)))))),
  said, h('div.acts', null, act(true, 'Use it, for the past as well', '.main'), act(false, 'Only from now on', '')),
  h('p.quiet', null, 'For the past as well: each conversion that moves gets a new line on its receipt; the earlier one stays there.'));
}
