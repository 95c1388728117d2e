/**
 * `npm run -s build && node dist/bench/allocator-weights.js DATA_FOLDER`: what the learned weights are worth. Regret against the proven bounds, false alarms and delays of
 * the drift detection, an expert that is corrupted midway, the snapshot of a million records, and the cost of a look into the book. All of it seeded; of the
 * labelled texts only `fit` is read.
 */
import { performance } from 'node:perf_hooks'
import { program } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import {
  type DriftRates,
  type DriftState,
  noVerdicts,
  watchDrift,
} from '../pipeline/allocator/weights/drift.ts'
import { expertDrift, fusedDrift } from '../pipeline/allocator/weights/model.ts'
import {
  bestSwitching,
  delayCost,
  type Game,
  play,
  regretBound,
  seededGame,
} from '../pipeline/allocator/weights/regret.fixture.ts'
import { fitOpinions } from './fit-opinions.ts'
import { corruptedStream } from './weights-corrupted.ts'
import { bookCost, millionRecords } from './weights-snapshot.ts'

const games = 1_000
const switches = 6
const maxDelay = 40
const driftSeeds = 500
const stationary = 10_000
const learned = 2_000
const streamSeeds = 20

function regret(): void {
  const [still, shared, late]: [number[], number[], number[]] = [[], [], []]
  for (let seed = 0; seed < games; seed++) {
    const game = seededGame(seed)
    still.push(worstRatio({ ...game, rates: { ...game.rates, share: 0 } }, 0))
    shared.push(worstRatio(seededGame(seed), switches))
    late.push(lateRatio(seed))
  }
  print(`regret as a part of its bound, ${games} seeded adversarial games (at most 1)`)
  print(`  Hedge, against the best expert           ${quantiles(still, 3)}`)
  print(`  fixed share, up to ${switches} switches              ${quantiles(shared, 3)}`)
  print(`  labels up to ${maxDelay - 1} rounds late, best expert ${quantiles(late, 3)}`)
}

function lateRatio(seed: number): number {
  const game = seededGame(seed, seed % maxDelay)
  const played = play(game)
  const [best = 0] = bestSwitching(played.losses, 0)
  return (played.learner - best) / (regretBound(game, 0) + delayCost(game, played))
}

function worstRatio(game: Game, most: number): number {
  const { losses, learner } = play(game)
  return Math.max(
    ...bestSwitching(losses, most).map((best, k) => (learner - best) / regretBound(game, k)),
  )
}

interface Watch {
  readonly name: string
  readonly rates: DriftRates
  readonly drop: number
  /** What the detector knows of the stream before it begins. */
  reference(accuracy: number): DriftState
}

/** CUSUM with both rates known is the fastest there is at its rate of false alarms (Moustakides 1986): what learning the reference costs. */
const ideal = 1e12

const watches: readonly Watch[] = [
  { name: 'the fused result', rates: fusedDrift, drop: 0.1, reference: () => noVerdicts },
  {
    name: 'the fused result, were its accuracy known',
    rates: { ...fusedDrift, caution: 0 },
    drop: 0.1,
    reference: (accuracy) => ({ ...noVerdicts, verdicts: ideal, errors: ideal * (1 - accuracy) }),
  },
  { name: 'a single expert', rates: expertDrift, drop: 0.2, reference: () => noVerdicts },
]

function drift({ name, rates, drop, reference }: Watch): void {
  print(`\ndrift of ${name}: ${driftSeeds} seeds, a drop after ${learned} verdicts`)
  for (const accuracy of [0.7, 0.85]) {
    const start = reference(accuracy)
    let falseAlarms = 0
    const delays: number[] = []
    for (let seed = 0; seed < driftSeeds; seed++) {
      const random = seededRandom(seed)
      let state = start
      const alarms = (right: number): boolean => {
        const watched = watchDrift(state, random() >= right, rates)
        state = watched.drift === undefined ? watched.state : start
        return watched.drift !== undefined
      }
      for (let i = 0; i < stationary; i++) if (alarms(accuracy)) falseAlarms += 1
      state = start
      for (let i = 0; i < learned; i++) alarms(accuracy)
      let delay = 1
      while (!alarms(accuracy - drop)) delay += 1
      delays.push(delay)
    }
    const soon = delays.filter((delay) => delay <= 300).length / delays.length
    print(
      `  accuracy ${accuracy}: ${(falseAlarms / driftSeeds).toFixed(2)} false alarms in ${stationary} verdicts; ` +
        `a drop of ${Math.round(100 * drop)} points after ${quantiles(delays, 0)}; ${Math.round(100 * soon)}% within 300`,
    )
  }
}

function quantiles(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN).toFixed(digits)
  return `10% ${at(0.1)}, median ${at(0.5)}, 90% ${at(0.9)}, most ${at(1)}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program
  .description('Measure the learned weights.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const began = performance.now()
    regret()
    for (const watch of watches) drift(watch)
    const { weights } = loadConfig({}).pipeline
    const opinions = await fitOpinions(folder)
    for (const line of corruptedStream(opinions, weights, streamSeeds)) print(line)
    print(bookCost())
    for (const line of await millionRecords()) print(line)
    print(`\n${Math.round((performance.now() - began) / 1_000)} s in all`)
  })
await program.parseAsync()
