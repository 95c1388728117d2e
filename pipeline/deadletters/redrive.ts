/**
 * Appending a dead post anew, or dropping its letter.
 *
 * A redrive is claimed first, in `posts.dead`: of two at once one has the claim, and the other is told so. A process that dies between claim and
 * append leaves a claim that is free again after `claimMs`; a post that was appended by both is a duplicate of itself. Nothing is redriven by
 * itself, and no post more often than `maxAttempts` allows, so nothing can loop.
 */
import type { Clock } from '../../infra/clock.ts'
import { AppError } from '../../infra/errors.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import { maxAttempts, type Post, type RedriveOf } from '../../ingest/contract.ts'
import type { LetterState } from './fold.ts'
import type { LettersFollower } from './follower.ts'
import { type IsErased, type LetterLog, letterOf, postOf } from './payload.ts'
import type { Decision } from './record.ts'
import type { LettersTable } from './table.ts'

/** Status: unknown letter; somebody else was first, or it is decided already; too often; the payload is gone, or no post. */
export const refusals = {
  unknown: 404,
  decided: 409,
  exhausted: 409,
  gone: 410,
  'no-post': 422,
} as const
export type RefusalReason = keyof typeof refusals

export interface Refusal {
  readonly refused: RefusalReason
  /** For people; holds nothing of the payload. */
  readonly message: string
}

export interface Person {
  readonly by: string
  readonly note: string
}

export interface RedriveDeps {
  readonly log: LetterLog & Pick<Log, 'append'>
  readonly table: LettersTable
  readonly follower: Pick<LettersFollower, 'reached'>
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
  readonly isErased: IsErased
}

export const claimMs = 60_000

export function isRefused(answer: object): answer is Refusal {
  return 'refused' in answer
}

/** The letter as it stands now, or that there is none. */
export async function letterState(
  deps: RedriveDeps,
  origin: string,
): Promise<LetterState | Refusal> {
  await upToDate(deps)
  const state = (await deps.table.states([origin])).get(origin)
  return state ?? refuse('unknown', 'there is no such letter')
}

/** Resolves when the table has every letter that the log has. */
export async function upToDate({
  log,
  follower,
}: Pick<RedriveDeps, 'log' | 'follower'>): Promise<void> {
  const [end = 0] = await log.endOffsets(topics.dead)
  await follower.reached(end)
}

/** The letter afterwards; `edited` is appended instead of the payload. */
export async function redrive(
  deps: RedriveDeps,
  origin: string,
  person: Person,
  edited?: Post,
): Promise<LetterState | Refusal> {
  const state = await letterState(deps, origin)
  if (isRefused(state)) return state
  const standing = undecided(state, deps.clock())
  if (isRefused(standing)) return standing
  if (state.attempts >= maxAttempts)
    return refuse('exhausted', `it was refused ${state.attempts} times: that is the most`)
  const post = edited ?? (await payloadOf(deps, state))
  if ('refused' in post) return post
  const claimed = await decide(deps, { type: 'redriving', origin, after: state.head, ...person })
  if (isRefused(claimed)) return claimed
  const position = await appendAnew(deps, post, { origin, attempt: state.attempts + 1 })
  const recorded = await decide(deps, { type: 'redriven', origin, after: claimed.head, position })
  // It may have died again before that was recorded: the newer letter tells.
  return isRefused(recorded) ? letterState(deps, origin) : recorded
}

export async function drop(
  deps: RedriveDeps,
  origin: string,
  person: Person,
): Promise<LetterState | Refusal> {
  const state = await letterState(deps, origin)
  if (isRefused(state)) return state
  const standing = undecided(state, deps.clock())
  if (isRefused(standing)) return standing
  return decide(deps, { type: 'dropped', origin, after: state.head, ...person })
}

function undecided(state: LetterState, now: number): LetterState | Refusal {
  if (state.state === 'open') return state
  if (state.state === 'redriven')
    return refuse('decided', `it was redriven to ${state.redrivenTo} already`)
  if (state.state === 'dropped') return refuse('decided', 'it was dropped')
  return now - state.changedAt > claimMs ? state : refuse('decided', 'somebody redrives it now')
}

async function payloadOf(deps: RedriveDeps, state: LetterState): Promise<Post | Refusal> {
  const letter = await letterOf(deps.log, state, deps.isErased)
  if (letter === undefined) return refuse('gone', 'posts.dead does not hold it any more')
  const { logTopic, clock, isErased } = deps
  const found = await postOf(deps.log, letter, { logTopic, now: clock(), isErased })
  return 'post' in found ? found.post : refuse(found.missing, found.reason)
}

/** The letter afterwards; refused where another decision came first. */
async function decide(deps: RedriveDeps, decision: Decision): Promise<LetterState | Refusal> {
  const value = JSON.stringify(decision)
  const [position] = await deps.log.append(topics.dead, [{ key: decision.origin, value }])
  if (position === undefined) throw new AppError('LOG', 'The log took a decision without a place')
  await deps.follower.reached(position.offset + 1)
  const state = (await deps.table.states([decision.origin])).get(decision.origin)
  if (state?.head === position.offset) return state
  return refuse('decided', 'somebody else was first')
}

async function appendAnew(deps: RedriveDeps, post: Post, redriveOf: RedriveOf): Promise<string> {
  const value = JSON.stringify({ ...post, redriveOf })
  const [position] = await deps.log.append(topics.posts, [{ key: post.id, value }])
  return `${deps.logTopic}/${position?.partition}/${position?.offset}`
}

function refuse(refused: RefusalReason, message: string): Refusal {
  return { refused, message }
}
