/**
 * Whom to ask next about a post. First the cheapest expert of each task; then, one at a time, the expert whose gain is worth most beyond its price, while one is
 * worth anything. The gain of a run is the sum of the gains on the expert's tasks: a right topic counts as much as a right sentiment. Whatever the
 * price, a post without any word on its sentiment is taken to the next expert.
 */
import type { Post } from '../../ingest/contract.ts'
import type { FusionMethod, Task } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Heard } from './allocator.ts'
import { fuse, renormalised } from './fusion.ts'
import type { Gains } from './gain.ts'

/** An expert that may be asked. */
export interface Candidate extends Pick<Expert, 'name' | 'tasks'> {
  /** Estimated compute of its run on this post. */
  readonly costMs: number
}

/** What the choice depends on beside what was heard and the price; the same all through a post. */
export interface Cascade {
  readonly kind: Post['kind']
  readonly fusion: FusionMethod
  readonly candidates: readonly Candidate[]
  readonly gains: Gains
  /** In the fusion, before renormalisation. */
  weight(expert: string, task: Task): number
}

/** `price`: probability of a right verdict that a millisecond must gain; infinite: nobody but the cheapest. Empty when enough are heard. */
export function nextOf(cascade: Cascade, heard: Heard, price: number): readonly string[] {
  const unheard = cascade.candidates.filter(({ name }) => !heard.has(name))
  if (heard.size === 0) return cheapestOfEachTask(unheard)
  if (!isSentimentHeard(heard)) return namesOf(cheapest(unheard, 'sentiment'))
  if (price === Number.POSITIVE_INFINITY) return []
  return namesOf(mostWorth(cascade, unheard, heard, price))
}

function cheapestOfEachTask(candidates: readonly Candidate[]): string[] {
  const judged = new Set(candidates.flatMap(({ tasks }) => tasks))
  return [...new Set([...judged].flatMap((task) => namesOf(cheapest(candidates, task))))]
}

/** The first of equals. */
function cheapest(candidates: readonly Candidate[], task: Task): Candidate | undefined {
  return candidates
    .filter(({ tasks }) => tasks.includes(task))
    .reduce<Candidate | undefined>(
      (best, next) => (best === undefined || next.costMs < best.costMs ? next : best),
      undefined,
    )
}

function isSentimentHeard(heard: Heard): boolean {
  return [...heard.values()].some((answer) => answer?.sentiment !== undefined)
}

function namesOf(candidate: Candidate | undefined): string[] {
  return candidate === undefined ? [] : [candidate.name]
}

function mostWorth(
  cascade: Cascade,
  unheard: readonly Candidate[],
  heard: Heard,
  price: number,
): Candidate | undefined {
  const standings = new Map<Task, Standing>()
  const gainOn = (task: Task, expert: string) => {
    const standing = standings.get(task) ?? standingOf(cascade, heard, task)
    standings.set(task, standing)
    return gainOf(cascade, standing, task, expert)
  }
  let best: Candidate | undefined
  let bestWorth = 0
  for (const candidate of unheard) {
    const gain = candidate.tasks.reduce((sum, task) => sum + gainOn(task, candidate.name), 0)
    const worth = gain - candidate.costMs * price
    if (worth > bestWorth) {
      best = candidate
      bestWorth = worth
    }
  }
  return best
}

/** Where a task stands after what was heard. */
interface Standing {
  readonly experts: readonly string[]
  readonly weights: readonly number[]
  readonly margin: number
}

function standingOf(cascade: Cascade, heard: Heard, task: Task): Standing {
  const experts: string[] = []
  const opinions: { weight: number; probabilities: readonly number[] }[] = []
  for (const [expert, answer] of heard) {
    const probabilities = answer?.[task]
    if (probabilities === undefined) continue
    experts.push(expert)
    opinions.push({ weight: cascade.weight(expert, task), probabilities })
  }
  const weights = opinions.map(({ weight }) => weight)
  return { experts, weights, margin: marginOf(fuse(opinions)) }
}

/** The largest probability less the second largest; 0 for none. */
export function marginOf(probabilities: readonly number[]): number {
  let [first, second] = [0, 0]
  for (const p of probabilities) {
    if (p > first) {
      second = first
      first = p
    } else if (p > second) second = p
  }
  return first - second
}

function gainOf(cascade: Cascade, standing: Standing, task: Task, expert: string): number {
  const { experts: heard, weights, margin } = standing
  if (
    cascade.fusion === 'average' &&
    !canOverturn(margin, [...weights, cascade.weight(expert, task)])
  )
    return 0
  return cascade.gains.expected({ task, kind: cascade.kind, heard, expert, margin })
}

/** Whether the last of the weights could change the verdict of the others' average, if its expert were all for the second label. */
function canOverturn(margin: number, weights: readonly number[]): boolean {
  const share = renormalised(weights).at(-1) ?? 0
  return (1 - share) * margin < share
}
