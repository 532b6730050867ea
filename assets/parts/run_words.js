// A reading of a platform's list in words and marks: how it stands, what it brought, how far it has come.

import { h, icon } from '../dom.js';
import { count, plural, shortDay, when, exact } from '../format.js';

/** @type {Record<string, [string, string, string]>} sign, tone, word */
const STANDS = { running: ['down', '', 'being read'], success: ['check', 'ok', 'done'], partial: ['half', 'warn', 'done, with errors'], failed: ['x', 'bad', 'failed'],
  cancelled: ['stop', '', 'stopped'], broken_off: ['alert', 'warn', 'broken off'] };

/** @param {any} run */
export function runMark(run) {
  const [sign, tone, word] = STANDS[run.status] ?? ['ring', '', run.status];
  return h('span.st', { class: tone }, icon(sign, 's'), run.progress?.waits_until ? 'waiting' : word);
}

/** "4.2 s", "3 min 10 s" @param {number} s */
export function took(s) {
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(s % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "4 new, 1 changed, 115 known already" @param {any} run */
export function brought(run) {
  const parts = [run.created && `${count(run.created)} new`, run.updated && `${count(run.updated)} changed`, run.skipped && `${count(run.skipped)} known already`].filter(Boolean);
  return parts.length ? parts.join(', ') : 'nothing new';
}

/** How far one that is under way has come: a bar where its list goes by time, and always what is counted. @param {any} run */
export function progressOf(run) {
  const g = run.progress;
  const speed = run.duration_s >= 5 && run.processed ? `, ${count(Math.max(1, Math.round((run.processed / run.duration_s) * 60)))} a minute` : '';
  return h('div.run-progress', null,
    g?.share_bp > 0 && h('progress', { max: 10000, value: g.share_bp, 'aria-label': `How far ${run.name} is read` }),
    h('p', null, run.processed || run.pages ? `${plural(run.processed, 'record')} in ${plural(run.pages, 'page')}, ${count(run.created)} new${speed}` : 'It begins in a moment',
      g?.reached_at && g.since && ` · from ${shortDay(g.since)} on, has come to ${shortDay(g.reached_at)}`,
      g?.waits_until && [' · ', h('span', { 'data-tip': exact(g.waits_until) }, `the platform asks for patience, it goes on ${when(g.waits_until)}`)]));
}

/** @type {Record<string, string>} */
export const ASKED = { automatic: 'by schedule', manual: 'by hand', forced: 'by hand, the last week once more' };
