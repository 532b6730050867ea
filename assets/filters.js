// What may be filtered by. How a filter stands in the address: "!" is not, "~" a part of the word, "=" before a word that begins with such a sign.

/** What is told of all of a site, not of a part. */
const OF_WHOLE = ['customers', 'connection'];

/** Those of the page that may be asked. @param {{use: import('./app.js').BarUse, site: import('./app.js').Site|null}} app @returns {string[]} */
export const offeredDims = ({ use, site }) => (use.filters ?? []).filter((dim) => !(site?.part && OF_WHOLE.includes(dim)));

/** @param {string} text */
export function heard(text) {
  const not = text.startsWith('!'), rest = not ? text.slice(1) : text, has = rest.startsWith('~');
  return { not, has, value: has || rest.startsWith('=') ? rest.slice(1) : rest };
}

/** @param {{not: boolean, has?: boolean}} f @param {string} v */
export const told = (f, v) => `${f.not ? '!' : ''}${f.has ? '~' : /^[!~=]/.test(v) ? '=' : ''}${v}`;
