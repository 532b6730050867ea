// A command that sends one message to a connection's address, for those who want to see it arrive.

import { h, copyButton } from '../dom.js';

/** @param {any} f the platform @param {string|null} url */
export function tryIt(f, url) {
  if (!f?.trial || !url) return null;
  const command = `curl -X POST '${url}' \\\n  -H "Content-Type: application/json" \\\n  -d '${f.trial}'`;
  return h('div', null, h('h2', null, 'Try it'), h('div.code.lines', null, h('code', null, command), copyButton(() => command, 'Copy command')));
}
