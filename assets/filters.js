// How a filter stands in the address: "!" is not, "~" a part of the word, "=" before a word that begins with such a sign.

/** @param {string} text */
export function heard(text) {
  const not = text.startsWith('!'), rest = not ? text.slice(1) : text, has = rest.startsWith('~');
  return { not, has, value: has || rest.startsWith('=') ? rest.slice(1) : rest };
}

/** @param {{not: boolean, has?: boolean}} f @param {string} v */
export const told = (f, v) => `${f.not ? '!' : ''}${f.has ? '~' : /^[!~=]/.test(v) ? '=' : ''}${v}`;
