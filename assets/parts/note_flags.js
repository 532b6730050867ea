// Flags of notes under the chart. Those that would cover each other stand as one, with how many they are.

import { h, fill, icon } from '../dom.js';
import { day as dayName, plural } from '../format.js';

/** What a flag with its number takes up, and what a word beside it needs at least. */
const FLAG = 34, WORD = 64;
/** Where so little is to see, words are left to the press. */
const NARROW = 560;

/** @typedef {{x: number, notes: {id: string, day: string, text: string}[]}} Spot */

/**
 * @param {HTMLElement} box @param {Spot[]} spots from left to right @param {number} wide
 * @param {(notes: Spot['notes'], anchor: HTMLElement) => void} open
 */
export function drawFlags(box, spots, wide, open) {
  /** @type {Spot[]} */ const flags = [];
  for (const spot of spots) {
    const last = flags[flags.length - 1];
    if (last && spot.x - last.x < FLAG) last.notes.push(...spot.notes); else flags.push({ x: spot.x, notes: [...spot.notes] });
  }
  box.hidden = !flags.length;
  fill(box, flags.map(({ x, notes }, i) => {
    const [first, last] = [notes[0].day, notes[notes.length - 1].day];
    const days = first === last ? dayName(first) : `${dayName(first)} to ${dayName(last)}`;
    const said = notes.map((n) => (first === last ? n.text : `${dayName(n.day)}: ${n.text}`)).join('; ');
    const left = Math.min(x - 3, wide - FLAG), room = (flags[i + 1]?.x ?? wide + 3) - x - 10;
    const word = wide > NARROW && room > WORD && (first === last ? notes[0].text : plural(notes.length, 'note'));
    const b = h('button.pin', { type: 'button', 'data-focus': `pin-${first}`, 'aria-haspopup': 'dialog', 'aria-label': `${notes.length > 1 ? `${notes.length} notes` : 'Note'}, ${days}: ${said}`,
      'data-tip': said, onclick: () => open(notes, b) }, icon('flag', 's'), word && h('span.cut', null, word), notes.length > 1 && (!word || first === last) && h('span.n', null, notes.length));
    b.style.left = `${left}px`;
    b.style.maxWidth = `${Math.max(FLAG - 4, Math.min(248, room))}px`;
    return b;
  }));
}
