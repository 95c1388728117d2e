/** A labelled stream on which one expert is corrupted midway and then repaired: how soon its weight follows, and what the fused result is worth. */
import { seededRandom } from '../infra/seeded-random.ts'
import { average } from '../pipeline/allocator/average.ts'
import type { StaticWeights } from '../pipeline/allocator/static.ts'
import { WeightFold } from '../pipeline/allocator/weights/fold.ts'
import { halfBrier } from '../pipeline/allocator/weights/loss.ts'
import type { WeightBook } from '../pipeline/allocator/weights.ts'
import { argmax } from '../pipeline/experts/probabilities.ts'
import type { FeedbackRecord } from '../pipeline/feedback/record.ts'
import type { FitOpinions, OpinionRow } from './fit-opinions.ts'

export const corruptedExpert = 'minilm'
const phases = ['before', 'corrupted', 'repaired'] as const
const phaseLabels = 5_000
const low = 0.05
/** Of its mean weight over so many labels of the context before it was corrupted. */
const recovered = { share: 0.9, labels: 500 }

interface Trace {
  readonly weights: number[]
  /** Place in the whole stream. */
  readonly places: number[]
}

interface Tally {
  labels: number
  right: Record<'dynamic' | 'static', number>
  loss: Record<'dynamic' | 'static', number>
}

interface Speed {
  fall: number
  fallInStream: number
  back: number
  backInStream: number
  mean: number
}

export function corruptedStream(
  { experts, rows }: FitOpinions,
  prior: StaticWeights,
  seeds: number,
): string[] {
  const speeds = new Map<string, Speed[]>()
  const tallies = new Map(phases.map((phase) => [phase, emptyTally()]))
  const alarms: Record<(typeof phases)[number], string[]> = {
    before: [],
    corrupted: [],
    repaired: [],
  }
  for (let seed = 0; seed < seeds; seed++) {
    const random = seededRandom(seed)
    const fold = new WeightFold({ experts, prior })
    const fixed = fold.book()
    const traces = new Map<string, Trace>()
    for (let place = 0; place < phases.length * phaseLabels; place++) {
      const phase = phases[Math.floor(place / phaseLabels)] ?? 'repaired'
      const drawn = rows[Math.floor(random() * rows.length)]
      if (drawn === undefined) throw new RangeError('There are no rows of fit')
      const row = phase === 'corrupted' ? corrupted(drawn) : drawn
      const key = `${row.task}/${row.kind}`
      const trace = traces.get(key) ?? { weights: [], places: [] }
      traces.set(key, trace)
      const book = fold.book()
      trace.weights.push(book.weights(contextOf(row))[corruptedExpert] ?? 0)
      trace.places.push(place)
      count(tallies.get(phase), row, book, fixed)
      const record = recordOf(row, place, book, experts)
      for (const { expert, task, kind } of fold.fold(Buffer.from(JSON.stringify(record)), place))
        alarms[phase].push(`${task}/${kind}/${expert === '' ? 'fused' : expert}`)
    }
    for (const [key, trace] of traces) speeds.set(key, [...(speeds.get(key) ?? []), speedOf(trace)])
  }
  return [
    `\n${corruptedExpert} corrupted for labels ${phaseLabels} to ${2 * phaseLabels} of ${phases.length * phaseLabels} (its labels permuted), ${seeds} seeds, drawn with replacement from ${rows.length} rows of fit`,
    ...[...speeds].map(([key, found]) => speedLine(key, found)),
    ...[...tallies].map(([phase, tally]) => tallyLine(phase, tally)),
    ...phases.map((phase) => `  alarms ${phase.padEnd(10)} ${counts(alarms[phase], seeds)}`),
  ]
}

/** Another label each, always the same. */
export function corrupted(row: OpinionRow): OpinionRow {
  const said = row.opinions[corruptedExpert]
  if (said === undefined) return row
  const permuted = said.map((_, k) => said[(k + 1) % said.length] ?? 0)
  return { ...row, opinions: { ...row.opinions, [corruptedExpert]: permuted } }
}

function contextOf({ task, kind, textLength }: OpinionRow) {
  return { task, kind, textLength, language: 'en' }
}

function fusedBy(book: WeightBook, row: OpinionRow): number[] {
  const weights = book.weights(contextOf(row))
  return average(
    Object.entries(row.opinions).map(([expert, probabilities]) => ({
      weight: weights[expert] ?? 0,
      probabilities,
    })),
  )
}

function recordOf(
  row: OpinionRow,
  place: number,
  book: WeightBook,
  experts: FitOpinions['experts'],
): FeedbackRecord {
  return {
    format: 1,
    post: { id: `p${place}`, version: 1, logTopic: 'posts@0', partition: 0, offset: place },
    task: row.task,
    label: row.label,
    labeller: 'bench',
    origin: 'uniform',
    selectionProbability: 1,
    context: { source: 'bench', kind: row.kind, language: 'en', textLength: row.textLength },
    strategy: 'dynamic',
    fused: fusedBy(book, row),
    experts: experts.flatMap(({ name, version }) => {
      const probabilities = row.opinions[name]
      return probabilities === undefined
        ? []
        : [{ name, version, probabilities: [...probabilities], ran: true, shadow: false }]
    }),
  }
}

function speedOf({ weights, places }: Trace): Speed {
  const start = places.findIndex((place) => place >= phaseLabels)
  const repair = places.findIndex((place) => place >= 2 * phaseLabels)
  const before = weights.slice(start - recovered.labels, start)
  const mean = before.reduce((sum, weight) => sum + weight, 0) / before.length
  const fallen = weights.findIndex((weight, i) => i >= start && weight < low)
  const back = weights.findIndex((weight, i) => i >= repair && weight >= recovered.share * mean)
  const since = (at: number, from: number) => (at < 0 ? Number.POSITIVE_INFINITY : at - from)
  const inStream = (at: number, from: number) =>
    at < 0 ? Number.POSITIVE_INFINITY : (places[at] ?? 0) - from
  return {
    mean,
    fall: since(fallen, start),
    fallInStream: inStream(fallen, phaseLabels),
    back: since(back, repair),
    backInStream: inStream(back, 2 * phaseLabels),
  }
}

function speedLine(key: string, speeds: readonly Speed[]): string {
  const of = (what: keyof Speed) => {
    const sorted = speeds.map((speed) => speed[what]).sort((a, b) => a - b)
    return `${sorted[Math.floor(sorted.length / 2)]} (most ${sorted.at(-1)})`
  }
  const mean = speeds.reduce((sum, speed) => sum + speed.mean, 0) / speeds.length
  return (
    `  ${key.padEnd(18)} weight ${mean.toFixed(2)} before; under ${low} after ${of('fall')} labels of the context, ${of('fallInStream')} of the stream; ` +
    `back at ${recovered.share} of that after ${of('back')}, ${of('backInStream')} of the stream`
  )
}

function emptyTally(): Tally {
  return { labels: 0, right: { dynamic: 0, static: 0 }, loss: { dynamic: 0, static: 0 } }
}

function count(tally: Tally | undefined, row: OpinionRow, learned: WeightBook, fixed: WeightBook) {
  if (tally === undefined) return
  tally.labels += 1
  for (const [name, book] of [
    ['dynamic', learned],
    ['static', fixed],
  ] as const) {
    const fused = fusedBy(book, row)
    tally.right[name] += argmax(fused) === row.label ? 1 : 0
    tally.loss[name] += halfBrier(fused, row.label)
  }
}

function tallyLine(phase: string, { labels, right, loss }: Tally): string {
  const of = (name: 'dynamic' | 'static') =>
    `${name} ${((100 * right[name]) / labels).toFixed(2)}% right, half Brier ${(loss[name] / labels).toFixed(4)}`
  return `  ${phase.padEnd(10)} n ${labels}: ${of('dynamic')}; ${of('static')}`
}

function counts(alarms: readonly string[], seeds: number): string {
  const each = new Map<string, number>()
  for (const alarm of alarms) each.set(alarm, (each.get(alarm) ?? 0) + 1)
  const text = [...each].map(([alarm, times]) => `${alarm} ${(times / seeds).toFixed(2)}`)
  return text.length === 0 ? 'none' : `${text.join(', ')} a stream`
}
