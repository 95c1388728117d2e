/**
 * `npm run -s build && node dist/bench/allocator-weights.js DATA_FOLDER`: what the learned weights are worth. Regret against the proven bounds, false alarms and delays of
 * the drift detection, an expert that is corrupted midway, the snapshot of a million records, and the cost of a look into the book. All of it seeded; of the
 * labelled texts only `fit` is read.
 */
import { performance } from 'node:perf_hooks'
import { program } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import { type DriftRates, noVerdicts, watchDrift } from '../pipeline/allocator/weights/drift.ts'
import { expertDrift, fusedDrift } from '../pipeline/allocator/weights/model.ts'
import {
  bestSwitching,
  delayCost,
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
  const ratios: Record<string, number[]> = { hedge: [], 'fixed share': [], delayed: [] }
  for (let seed = 0; seed < games; seed++) {
    const game = seededGame(seed)
    const still = { ...game, rates: { ...game.rates, share: 0 } }
    ratios.hedge?.push(worstRatio(still, 0))
    ratios['fixed share']?.push(worstRatio(seededGame(seed), switches))
    const late = seededGame(seed, seed % maxDelay)
    const played = play(late)
    const [best = 0] = bestSwitching(played.losses, 0)
    ratios.delayed?.push((played.learner - best) / (regretBound(late, 0) + delayCost(late, played)))
  }
  print(`regret as a part of its bound, ${games} seeded adversarial games (at most 1)`)
  for (const [name, found] of Object.entries(ratios))
    print(`  ${name.padEnd(12)} ${quantiles(found, 3)}`)
}

function worstRatio(game: ReturnType<typeof seededGame>, most: number): number {
  const { losses, learner } = play(game)
  return Math.max(
    ...bestSwitching(losses, most).map((best, k) => (learner - best) / regretBound(game, k)),
  )
}

function drift(name: string, rates: DriftRates, drop: number): void {
  print(
    `\ndrift of ${name}: ${driftSeeds} seeds, the reference learned from ${learned} verdicts before`,
  )
  for (const accuracy of [0.7, 0.85]) {
    let falseAlarms = 0
    const delays: number[] = []
    for (let seed = 0; seed < driftSeeds; seed++) {
      const random = seededRandom(seed)
      const verdict = (right: number) => random() >= right
      let state = noVerdicts
      const alarms = (isError: boolean): boolean => {
        const watched = watchDrift(state, isError, rates)
        state = watched.state
        return watched.drift !== undefined
      }
      for (let i = 0; i < stationary; i++) if (alarms(verdict(accuracy))) falseAlarms += 1
      state = noVerdicts
      for (let i = 0; i < learned; i++) alarms(verdict(accuracy))
      let delay = 1
      while (!alarms(verdict(accuracy - drop))) delay += 1
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
    drift('the fused result', fusedDrift, 0.1)
    drift('single experts', expertDrift, 0.2)
    const { weights } = loadConfig({}).pipeline
    const opinions = await fitOpinions(folder)
    for (const line of corruptedStream(opinions, weights, streamSeeds)) print(line)
    print(bookCost())
    for (const line of await millionRecords()) print(line)
    print(`\n${Math.round((performance.now() - began) / 1_000)} s in all`)
  })
await program.parseAsync()
