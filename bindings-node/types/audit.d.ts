import type { EventRow, NoticeRow } from './vocabulary.js';

/** The last event of a record: how far its chain goes. */
export interface Head {
  /** The record. */
  key: string;
  /** Its version. */
  version: number;
  /** SHA-256 over the body of the event, as stored, in lower-case hexadecimal. */
  digest: string;
}

/** A published head that the log does not lead through. */
export interface Break {
  code: string;
  message: string;
  key?: string;
  version?: number;
}

/**
 * Checks that a log is what was written: feed it the events in the order of the log. Between the beginning (or a
 * checkpoint) and an expected head, no fact of a record was altered, added, dropped, doubled or moved.
 */
export class Chain {
  constructor(heads?: {
    /** Where the log goes on after older facts were forgotten. They are believed. */
    checkpoints?: readonly Head[];
    /** Heads, published earlier, that the log must lead through. */
    expect?: readonly Head[];
  });
  /** Takes the next event. Throws where the log is not whole, and can go on from there. */
  feed(rowOrBody: Pick<EventRow, 'body'> | string): void;
  /** Which of the expected heads the log has contradicted or never reached; empty when it led through all of them. */
  finish(): Break[];
  /** Where the chains end now: the checkpoints for what comes later, and what `root` is computed over. */
  heads(): Head[];
  /** How many events were fed. */
  readonly fed: number;
  /** How many of them stand unlinked behind another, as those of schema 1 do: they can be altered without a trace. */
  readonly unlinked: number;
}

/** The head that a record has with this event as its last one. */
export function head(rowOrBody: Pick<EventRow, 'body'> | string): Head;

/**
 * One line about any number of heads, to be published where whoever keeps the log cannot write:
 * `handfast-audit-1 <records> <facts> <digest>`.
 */
export function root(heads: readonly Head[]): string;

/** A CloudEvent 1.0 in the JSON format. */
export interface CloudEvent {
  id: string;
  source: string;
  specversion: '1.0';
  type: string;
  subject?: string;
  time: string;
  datacontenttype: 'application/json';
  /** The body as it is stored: its names are the same in every language. */
  data: Record<string, unknown>;
}

/** An event as a CloudEvent, from `source`, a URI reference. */
export function cloudEvent(rowOrBody: Pick<EventRow, 'body'> | string, options: { source: string }): CloudEvent;

/** A refusal, the row of a notice, as a CloudEvent, from `source`, a URI reference. */
export function cloudEventOfNotice(
  notice: Pick<NoticeRow, 'coalesce' | 'body'>,
  options: { source: string },
): CloudEvent;

/** Durations, in milliseconds. */
export interface Histogram {
  count: number;
  sumMs: number;
  minMs?: number;
  maxMs?: number;
  /** How many took at most 1 s, 10 s, 1 min, 5 min, 15 min, 1 h, 6 h, 1 day, 1 week, and longer; each counts once. */
  buckets: number[];
}

/** What happened to the packages of a scope in a month. */
export interface TallyRow {
  scope: string;
  /** In UTC, `2026-01`. */
  month: string;
  issued: number;
  activated: number;
  expired: number;
  revoked: number;
  retired: number;
  /** From issue to use, of those activated in the month. */
  timeToActivate: Histogram;
}

/**
 * Packages by scope and month, and how long they took to be in use. Give it each event once, in any order; tallies of
 * different parts of a log merge into that of the log.
 */
export class Tally {
  /** An empty one, or what `toText` gave. */
  constructor(text?: string);
  /** All that it holds, to be stored. */
  toText(): string;
  /** Takes in an event, of whatever record. */
  add(rowOrBody: Pick<EventRow, 'body'> | string): void;
  /** Takes in what another tally has of another part of the log. */
  merge(other: Tally): void;
  /** The counts, in the order of scope and month. */
  rows(): TallyRow[];
}
