// When a list is read, in words: "every day at 18:30". What no form can say stands as it was written.

import { plural } from '../format.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** @param {string} minute @param {string} hour */
const at = (minute, hour) => `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
/** @param {string} text */
const isNumber = (text) => /^\d+$/.test(text);

/**
 * What a form shows of a schedule.
 * @param {string|null} text @returns {{kind: 'usual'|'hours'|'daily'|'weekdays'|'own', hours?: number, time?: string, own?: string}}
 */
export function readSchedule(text) {
  if (!text) return { kind: 'usual' };
  const hours = hoursOf(text);
  if (hours) return { kind: 'hours', hours };
  const [minute, hour, day, month, weekday] = text.trim().split(/\s+/);
  if (weekday !== undefined && isNumber(minute) && isNumber(hour) && day === '*' && month === '*') {
    if (weekday === '*') return { kind: 'daily', time: at(minute, hour) };
    if (weekday === '1-5') return { kind: 'weekdays', time: at(minute, hour) };
  }
  return { kind: 'own', own: text };
}

/** @param {string} text @returns {number|null} */
function hoursOf(text) {
  const words = text.trim().toLowerCase().split(/\s+/);
  if (words[0] !== 'every') return null;
  if (words.length === 2) return { hour: 1, day: 24, week: 168 }[words[1]] ?? null;
  return words.length === 3 && isNumber(words[1]) ? Number(words[1]) : null;
}

/** @param {string} text */
export function scheduleWords(text) {
  const form = readSchedule(text);
  if (form.kind === 'hours') return form.hours === 1 ? 'every hour' : `every ${form.hours} hours`;
  if (form.kind === 'daily') return `every day at ${form.time}`;
  if (form.kind === 'weekdays') return `Monday to Friday at ${form.time}`;
  const [minute, hour, day, month, weekday] = text.trim().split(/\s+/);
  const every = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (every && hour === '*' && day === '*' && month === '*' && weekday === '*') return `every ${every} minutes`;
  if (isNumber(minute) && hour === '*' && day === '*' && month === '*' && weekday === '*') return `every hour at ${minute.padStart(2, '0')} past`;
  if (isNumber(minute) && isNumber(hour) && month === '*') {
    if (day === '*' && isNumber(weekday) && DAYS[Number(weekday)]) return `every ${DAYS[Number(weekday)]} at ${at(minute, hour)}`;
    if (isNumber(day) && weekday === '*') return `on day ${Number(day)} of each month at ${at(minute, hour)}`;
  }
  return `by “${text}”`;
}

/** How a connection is usually read, where nobody has said anything. @param {any} line */
export function usualWords(line) {
  if (line.usual) return `${scheduleWords(line.usual)} UTC`;
  const minutes = Math.round(line.usual_every_s / 60);
  return minutes % 60 ? `every ${plural(minutes, 'minute')}` : minutes === 60 ? 'every hour' : `every ${minutes / 60} hours`;
}

/** What is set, by whose clocks. @param {any} line @param {string} home the site's zone */
export function setWords(line, home) {
  if (!line.schedule) return usualWords(line);
  const words = scheduleWords(line.schedule);
  return line.zone && line.zone !== home ? `${words} ${line.zone === 'UTC' ? 'UTC' : `in ${line.zone}`}` : words;
}
