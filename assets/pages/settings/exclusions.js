// Who is left out of the counts: own devices, networks, staff addresses.

import { get, post } from '../../api.js';
import { h, fill, copyButton } from '../../dom.js';
import { saveForm, linesField, linesOf, panel } from '../../parts/form.js';

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/settings`;
  const s = await get(url);
  const link = (/** @type {string} */ to, /** @type {string} */ word) => h('div.code', null, h('code', null, to), copyButton(() => to, word));
  const networks = linesField('staff_networks', 'Networks', s.staff_networks, 'An address or a range a line. Visits from there are not counted.', '203.0.113.0/24');
  const add = h('button.btn', { type: 'button', onclick: () => {
    const lines = linesOf(networks.input.value);
    if (!lines.includes(s.your_address)) networks.input.value = [...lines, s.your_address].join('\n');
    networks.input.focus();
  } }, `Add this one (${s.your_address})`);
  const emails = linesField('staff_emails', 'Staff e-mails', s.staff_emails, 'Exact addresses, one a line. Their orders and leads are kept, marked and left out.', 'name@shop.example');
  const save = (/** @type {string} */ key, /** @type {HTMLInputElement} */ input) => async () => { await post(url, { [key]: linesOf(input.value) }); };
  fill(root,
    panel('This is me', h('span', null, 'Open this link once on every phone and computer of your own. It marks the browser; its visits are not counted and its orders are left out. ',
      'Say yes to your own consent question first.'), link(s.own_device_link, 'Copy'),
    h('details', null, h('summary', null, 'Count a device again'), h('p.quiet', null, 'Open this link on it.'), link(s.own_device_off, 'Copy'))),
    panel('Networks', null, saveForm({ fields: [networks], go: 'Save', done: 'Saved.', save: save('staff_networks', networks.input), more: add })),
    panel('Staff', null, saveForm({ fields: [emails], go: 'Save', done: 'Saved.', save: save('staff_emails', emails.input) })));
}
