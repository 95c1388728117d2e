/**
 * Whom to ask next about a post. First the cheapest expert of each task; then, one at a time, the expert whose gain is worth most beyond its price, while one is
 * worth anything. The gain of a run is the weighted sum of the gains on the expert's tasks. Whatever the price, a post without any word on its sentiment
 * is taken to the next expert.
 */
import type { Post } from '../../ingest/contract.ts'
import { type FusionMethod, type Task, tasks } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Heard } from './allocator.ts'
import { average } from './average.ts'
import type { Gains } from './gain.ts'

/** An expert that may be asked. */
export interface Candidate extends Pick<Expert, 'name' | 'tasks'> {
  /** Estimated compute of its run on this post. */
  readonly costMs: number
}

/** What a right verdict on each task is worth. */
export type TaskWeights = Readonly<Record<Task, number>>

/** What the choice depends on beside what was heard and the price; the same all through a post. */
export interface Cascade {
  readonly kind: Post['kind']
  readonly fusion: FusionMethod
  readonly candidates: readonly Candidate[]
  readonly gains: Gains
  readonly taskWeights: TaskWeights
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
  const names = tasks.flatMap((task) => namesOf(cheapest(candidates, task)))
  return [...new Set(names)]
}

/** The first of equals. */
function cheapest(candidates: readonly Candidate[], task: Task): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates)
    if (
      candidate.tasks.includes(task) &&
      candidate.costMs < (best?.costMs ?? Number.POSITIVE_INFINITY)
    )
      best = candidate
  return best
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
    const gain = candidate.tasks.reduce(
      (sum, task) => sum + cascade.taskWeights[task] * gainOn(task, candidate.name),
      0,
    )
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
  /** Of the weights of all who judge the task. */
  readonly share: number
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
  const [only, ...others] = opinions
  const fused = others.length === 0 ? (only?.probabilities ?? []) : average(opinions)
  return { experts, weights, margin: marginOf(fused), share: shareOf(cascade, task, experts) }
}

/** Equal shares where all weights are 0. */
function shareOf({ candidates, weight }: Cascade, task: Task, experts: readonly string[]): number {
  let [all, theirs, judges] = [0, 0, 0]
  for (const { name, tasks } of candidates) {
    if (!tasks.includes(task)) continue
    judges += 1
    all += weight(name, task)
    if (experts.includes(name)) theirs += weight(name, task)
  }
  return all > 0 ? theirs / all : experts.length / judges
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
  const { experts: heard, weights, margin, share } = standing
  if (cascade.fusion === 'average' && !canOverturn(margin, weights, cascade.weight(expert, task)))
    return 0
  return cascade.gains.expected({ task, kind: cascade.kind, heard, expert, margin, share })
}

/** Whether one more of this weight could change the verdict of the others' average, if it were all for their second label. */
function canOverturn(margin: number, others: readonly number[], weight: number): boolean {
  const all = others.reduce((sum, other) => sum + other, weight)
  const share = all > 0 ? weight / all : 1 / (others.length + 1)
  return (1 - share) * margin < share
}
