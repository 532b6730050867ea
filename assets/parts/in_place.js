// Bringing what is on the screen up to date without drawing it anew: what is under a pointer or has the focus stays the same
// element. Listeners are not carried over, so that whatever is brought up in this way listens at its container.

/**
 * Makes what stands in a box look like these elements.
 * @param {Element} box @param {Element[]} next
 */
export function bringUp(box, next) {
  next.forEach((el, i) => {
    const old = box.children[i];
    if (!old) box.append(el);
    else if (isAlike(old, el)) become(old, el);
    else old.replaceWith(el);
  });
  while (box.children.length > next.length) box.lastElementChild?.remove();
}

/** Cards of two connections are never the same. @param {Node} a @param {Node} b */
const isAlike = (a, b) => a.nodeName === b.nodeName && (!(b instanceof Element) || /** @type {Element} */ (a).getAttribute('data-connection') === b.getAttribute('data-connection'));

/** @param {Element} old @param {Element} next */
function become(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const kids = [...next.childNodes];
  kids.forEach((kid, i) => {
    const own = old.childNodes[i];
    if (!own) old.append(kid);
    else if (!isAlike(own, kid)) own.replaceWith(kid);
    else if (kid instanceof Element) become(/** @type {Element} */ (own), kid);
    else if (own.nodeValue !== kid.nodeValue) own.nodeValue = kid.nodeValue;
  });
  while (old.childNodes.length > kids.length) old.lastChild?.remove();
}
