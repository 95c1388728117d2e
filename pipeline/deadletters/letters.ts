/** Dead letters as one part of the role pipeline: the table that follows the topic, its figures, and what people do with letters. */
import { Gauge, type Registry } from 'prom-client'
import Type from 'typebox'
import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { letterClasses, type Post } from '../../ingest/contract.ts'
import { type LetterState, letterStates } from './fold.ts'
import { createLettersFollower } from './follower.ts'
import { type IsErased, letterOf } from './payload.ts'
import {
  drop,
  isRefused,
  letterState,
  type Person,
  type Refusal,
  redrive,
  upToDate,
} from './redrive.ts'
import { type LetterFilter, LettersTable } from './table.ts'

const Instant = Type.String({ description: 'RFC 3339 in UTC.' })

export const Letter = Type.Object({
  id: Type.String({ description: 'The origin, with dots for slashes.' }),
  origin: Type.String({ description: 'topic/partition/offset of the refused record.' }),
  state: Type.Enum(letterStates),
  class: Type.Enum(letterClasses),
  reason: Type.String(),
  attempts: Type.Integer(),
  source: Type.String({ description: "As the record says; '' where it says nothing." }),
  post_id: Type.String(),
  expert: Type.String({ description: "Who fails on it; ''." }),
  payload_bytes: Type.Integer(),
  refused_at: Type.String({ description: 'When the log took the refused record.' }),
  buried_at: Type.String({ description: 'When the log took the letter.' }),
  changed_at: Instant,
  by: Type.String({ description: 'Who decided last.' }),
  note: Type.String(),
  redriven_to: Type.String({ description: "topic/partition/offset of the new record; ''." }),
  erased: Type.Boolean(),
})
export type Letter = Type.Static<typeof Letter>

export const LetterDetail = Type.Object({
  ...Letter.properties,
  payload: Type.String({ description: 'Cut to 64 KiB.' }),
  stack: Type.String(),
})
export type LetterDetail = Type.Static<typeof LetterDetail>

export interface Letters {
  list(
    filter: LetterFilter,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<LetterState[]>
  count(filter: LetterFilter): Promise<number>
  show(origin: string): Promise<LetterDetail | Refusal>
  redrive(origin: string, person: Person, edited?: Post): Promise<LetterState | Refusal>
  drop(origin: string, person: Person): Promise<LetterState | Refusal>
  /** Milliseconds since 1970. */
  now(): number
  /** The topic `posts.dead` must exist. Idempotent. */
  start(): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface LettersDeps {
  readonly log: Log
  readonly store: Pick<Store, 'query' | 'insert'>
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
  readonly logger: Logger
  readonly registry?: Registry | undefined
  readonly isErased: IsErased
}

export function createLetters(deps: LettersDeps): Letters {
  const { log, logTopic, clock, isErased } = deps
  const table = new LettersTable(deps.store, logTopic)
  const follower = createLettersFollower({ ...deps, table })
  const redriving = { log, table, follower, logTopic, clock, isErased }
  if (deps.registry !== undefined) countLetters(deps.registry, table)
  return {
    async list(filter, page) {
      await upToDate(redriving)
      return table.list(filter, page)
    },
    async count(filter) {
      await upToDate(redriving)
      return table.count(filter)
    },
    async show(origin) {
      const state = await letterState(redriving, origin)
      if (isRefused(state)) return state
      const letter = await letterOf(log, state, isErased)
      return {
        ...letterView(state),
        erased: letter?.erased ?? state.erased,
        payload: letter?.payload ?? '',
        stack: letter?.stack ?? '',
      }
    },
    redrive: (origin, person, edited) => redrive(redriving, origin, person, edited),
    drop: (origin, person) => drop(redriving, origin, person),
    now: clock,
    start: () => follower.start(),
    stop: () => follower.stop(),
  }
}

/** Origins have slashes, which a path may not. */
export function idOf(origin: string): string {
  return origin.replaceAll('/', '.')
}

/** The origin itself is understood too. */
export function originOf(id: string): string {
  return id.replace(/\.(\d+)\.(\d+)$/, '/$1/$2')
}

export function letterView(state: LetterState): Letter {
  const { origin, attempts, reason, source, expert, by, note, erased } = state
  return {
    id: idOf(origin),
    origin,
    state: state.state,
    class: state.class,
    reason,
    attempts,
    source,
    post_id: state.postId,
    expert,
    payload_bytes: state.payloadBytes,
    refused_at: new Date(state.refusedAt).toISOString(),
    buried_at: new Date(state.buriedAt).toISOString(),
    changed_at: new Date(state.changedAt).toISOString(),
    by,
    note,
    redriven_to: state.redrivenTo,
    erased,
  }
}

function countLetters(registry: Registry, table: LettersTable): void {
  new Gauge({
    name: 'tickertone_dead_letters',
    help: 'Dead letters by class of their reason and by state.',
    labelNames: ['class', 'state'],
    registers: [registry],
    async collect() {
      // What Prometheus is told stays as it was while the store does not answer.
      const counts = await table.counts().catch(() => undefined)
      if (counts === undefined) return
      this.reset()
      for (const each of counts) this.set({ class: each.class, state: each.state }, each.n)
    },
  })
}
