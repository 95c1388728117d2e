/**
 * What a run of an expert costs, as measured while it serves: a decayed sum of the compute it spent over a decayed sum of the text it read,
 * so that the last few hundred texts count. Before anything was measured a prior stands in, worth a few texts.
 */
import type { Expert, ExpertInput, Spent } from '../experts/expert.ts'
import type { Costs } from './price.ts'

export interface MeasuredCosts extends Costs {
  /** The same expert; each of its answers is measured. */
  metered<E extends Expert>(expert: E): E
}

/** Every text costs something beside its characters: special tokens, a call, a result. */
const textCharacters = 20
/** Weight of the prior: the first batch nearly replaces it. */
const priorCharacters = 1_000
/** What was measured so many characters ago counts 1/e: about 500 tweets. */
const memoryCharacters = 50_000

/** Milliseconds a character where nothing is known. An encoder reads about 500 texts of 100 characters a second (docs/decisions/0054). */
const priors = { inProcess: 0.000_5, encoder: 0.02 } as const

/** Started by the call, it answers the compute since then, milliseconds with fractions. */
export type Stopwatch = () => () => number

/** Neither what others on the machine did meanwhile (wall time has it) nor other threads of this process (its processor time has them) shall count. */
function startStopwatch(): () => number {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return Math.min(performance.now() - startedAt, (user + system) / 1_000)
  }
}

interface Meter {
  characters: number
  ms: number
}

export function createCosts({
  stopwatch = startStopwatch,
}: {
  readonly stopwatch?: Stopwatch
} = {}): MeasuredCosts {
  const meters = new Map<string, Meter>()

  function record(expert: string, characters: number, ms: number): void {
    const meter = meters.get(expert)
    if (meter === undefined || characters <= 0) return
    const kept = Math.exp(-characters / memoryCharacters)
    meter.characters = meter.characters * kept + characters
    meter.ms = meter.ms * kept + ms
  }

  return {
    msOf(expert, textLength) {
      const meter = meters.get(expert)
      const rate = meter === undefined ? priors.encoder : meter.ms / meter.characters
      return rate * (textCharacters + textLength)
    },
    metered(expert) {
      const prior = expert.spent === undefined ? priors.inProcess : priors.encoder
      meters.set(expert.name, { characters: priorCharacters, ms: priorCharacters * prior })
      const classify =
        expert.spent === undefined ? timed(expert, stopwatch, record) : counted(expert, record)
      return { ...expert, classify }
    },
  }
}

type Record = (expert: string, characters: number, ms: number) => void

/** An expert that computes in this thread does so before it returns its promise. */
function timed(expert: Expert, stopwatch: Stopwatch, record: Record): Expert['classify'] {
  return (batch, call) => {
    const elapsed = stopwatch()
    const answers = expert.classify(batch, call)
    record(expert.name, charactersOf(batch), elapsed())
    return answers
  }
}

/** Calls share jobs, so what they cost is known of all of them together: each answer takes what was spent since the last one. */
function counted(expert: Expert, record: Record): Expert['classify'] {
  let last: Spent = { texts: 0, characters: 0, computeMs: 0 }
  return async (batch, call) => {
    const answers = await expert.classify(batch, call)
    const spent = expert.spent?.() ?? last
    const texts = spent.texts - last.texts
    record(
      expert.name,
      spent.characters - last.characters + texts * textCharacters,
      spent.computeMs - last.computeMs,
    )
    last = spent
    return answers
  }
}

function charactersOf(batch: readonly ExpertInput[]): number {
  return batch.reduce(
    (sum, { text, title }) => sum + text.length + title.length + textCharacters,
    0,
  )
}
