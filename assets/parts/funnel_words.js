// What the steps of a funnel are called on screen.

import { money, platform } from '../format.js';

/** @type {Record<string, string>} */
export const MILESTONES = { lead_captured: 'Became a lead', form_submitted: 'Sent a form', appointment_booked: 'Booked an appointment', appointment_completed: 'Kept the appointment',
  appointment_cancelled: 'Cancelled the appointment', event_registered: 'Registered for an event', event_attended: 'Attended the event', ticket_purchased: 'Bought a ticket', signup_started: 'Began to sign up',
  signup_completed: 'Signed up', activation: 'Began to use it', appointment_no_show: 'Did not come', appointment_rescheduled: 'Moved the appointment', refunded: 'Got money back' };
/** @type {Record<string, string>} */
const OTHERS = { visit: 'Visited', lead: 'Asked', sale: 'Bought', signup: 'Signed up', custom: 'Did what you count', refund: 'Got money back', cancellation: 'Cancelled the order' };

/** @param {string} word */
export const milestoneWord = (word) => MILESTONES[word] ?? OTHERS[word] ?? (word.charAt(0).toUpperCase() + word.slice(1)).replaceAll('_', ' ');

/** Sources of milestones that an owner can choose. */
export const SOURCES = ['easyappointments', 'zoom', 'eventbrite', 'poshvip', 'calcom', 'calendly', 'manual', 'referral', 'direct_signup'];
/** @param {string} source */
export const sourceWord = (source) => ({ manual: 'typed in by hand', referral: 'a referral', direct_signup: 'a direct sign-up' }[source] ?? platform(source));

/** Kinds of a step, in plain words, with the field that each has. @type {[string, string][]} */
export const KINDS = [['page', 'began a visit, or did something, on a page'], ['event', 'did something on a page'], ['lead', 'asked (a lead)'], ['milestone', 'booked, came, missed …'], ['order', 'ordered'], ['refund', 'got money back'],
  ['sign_up', 'signed up'], ['custom', 'did what you count']];

/** "Visit or event on /pricing*": of pages that are only looked at nothing is kept. @param {any} step */
export function stepWord(step) {
  if (step.kind === 'page') return ['*', '/*'].includes(step.path) ? 'Visited' : `Visit or event on ${step.path}`;
  if (step.kind === 'event') return `Did “${step.name}”`;
  if (step.kind === 'milestone') return `${milestoneWord(step.milestone)}${step.source ? ` (${sourceWord(step.source)})` : ''}`;
  if (step.kind === 'order') return step.minimum ? `Ordered for ${money(step.minimum)} or more` : 'Ordered';
  if (step.kind === 'custom') return `“${step.name}”`;
  return { lead: 'Asked', refund: 'Got money back', sign_up: 'Signed up' }[step.kind] ?? step.kind;
}

/** @param {any} funnel */
export const ruleWords = (funnel) => [
  { in_order: 'In this order, whatever comes in between', strict: 'One right after the other', any: 'In any order after the first step' }[funnel.order] ?? '',
  funnel.window_days ? `within ${funnel.window_days === 1 ? 'a day' : `${funnel.window_days} days`} of the first step` : 'however long it takes'].filter(Boolean).join(', ');
