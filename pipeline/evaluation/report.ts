/** The figures of an evaluation as one plain object: every judge on all rows and on each kind, and differences between judges. */
import Type, { type Static } from 'typebox'
import { kinds } from '../../ingest/contract.ts'
import { labelsOf, tasks } from '../contract.ts'
import {
  bootstrapSeed,
  differenceInterval,
  intervalOf,
  type Resampled,
  resample,
  resampleCount,
} from './bootstrap.ts'
import { confusionMatrix, labelFigures } from './confusion.ts'
import type { JudgedTexts } from './judged-texts.ts'

import { type MetricName, metricNames, metricsOf } from './metrics.ts'
import { reliabilityBins } from './reliability.ts'
import { type Outcomes, tallyOf } from './tally.ts'

const Count = Type.Integer({ minimum: 0 })
const Share = Type.Number({ minimum: 0, maximum: 1 })
const Interval = Type.Tuple([Type.Number(), Type.Number()])

function ofMetrics<T extends Type.TSchema>(schema: T) {
  return Type.Record(Type.Enum(metricNames), schema)
}

export const JudgeFigures = Type.Object({
  rows: Count,
  accuracy: Share,
  macroF1: Share,
  weightedF1: Share,
  /** Nats. */
  logLoss: Type.Number({ minimum: 0 }),
  brier: Type.Number({ minimum: 0, maximum: 2 }),
  calibrationError: Share,
  /** 95% intervals. */
  intervals: ofMetrics(Interval),
  labels: Type.Record(
    Type.String(),
    Type.Object({ precision: Share, recall: Share, f1: Share, support: Count, answers: Count }),
  ),
  /** Rows by truth (outer) and answer (inner), in the order of `labels` of the report. */
  confusion: Type.Array(Type.Array(Count)),
  reliability: Type.Array(
    Type.Object({ from: Share, to: Share, rows: Count, confidence: Share, accuracy: Share }),
  ),
})
export type JudgeFigures = Static<typeof JudgeFigures>

const ByKind = Type.Object({
  news: Type.Optional(JudgeFigures),
  comment: Type.Optional(JudgeFigures),
})
export const JudgeReport = Type.Intersect([JudgeFigures, Type.Object({ kinds: ByKind })])
export type JudgeReport = Static<typeof JudgeReport>

export const Difference = Type.Object({
  judge: Type.String(),
  base: Type.String(),
  /** `all`: all rows. */
  kind: Type.Enum([...kinds, 'all']),
  /** judge - base. */
  metrics: ofMetrics(Type.Object({ value: Type.Number(), interval: Interval })),
})
export type Difference = Static<typeof Difference>

export const Report = Type.Object({
  task: Type.Enum(tasks),
  labels: Type.Array(Type.String()),
  bootstrap: Type.Object({
    resamples: Count,
    seed: Type.Integer(),
    /** What is drawn: clusters of near-duplicates, or of texts with the same words where there are too many to compare. */
    unit: Type.Enum(['near-duplicates', 'repeats']),
    clusters: Count,
  }),
  judges: Type.Record(Type.String(), JudgeReport),
  differences: Type.Array(Difference),
})
export type Report = Static<typeof Report>

/** Judge and base. */
export type Pair = readonly [judge: string, base: string]

/** Needs at least one row. A kind without rows has no figures. */
export function reportOf(texts: JudgedTexts, pairs: readonly Pair[]): Report {
  const { unit, clusters } = texts.clusters.assign()
  const all = partOf(texts, 'all', [...Array(texts.rows).keys()], clusters)
  const present = texts.kinds()
  const ofKinds = present.map((kind) =>
    present.length === 1 ? { ...all, kind } : partOf(texts, kind, texts.rowsOfKind[kind], clusters),
  )
  const parts = [all, ...ofKinds]
  const judges = [...texts.outcomes.keys()].map((judge) => [
    judge,
    judgeReport(judge, all, ofKinds),
  ])
  return {
    task: texts.task,
    labels: [...labelsOf[texts.task]],
    bootstrap: {
      resamples: resampleCount,
      seed: bootstrapSeed,
      unit,
      clusters: new Set(clusters).size,
    },
    judges: Object.fromEntries(judges),
    differences: parts.flatMap((part) =>
      pairs.map(([judge, base]) => differenceOf(part, judge, base)),
    ),
  }
}

/** The figures of some of the rows. */
interface Part {
  readonly kind: Difference['kind']
  readonly figures: ReadonlyMap<string, JudgeFigures>
  readonly resampled: ReadonlyMap<string, Resampled>
}

function partOf(
  { task, outcomes }: JudgedTexts,
  kind: Part['kind'],
  rows: readonly number[],
  clusters: readonly number[],
): Part {
  const labels = labelsOf[task]
  const resampled = resample(outcomes, { labels: labels.length, rows, clusters })
  const figures = new Map(
    [...outcomes].map(([judge, of]) => [
      judge,
      figuresOf(labels, of, rows, found(resampled, judge)),
    ]),
  )
  return { kind, figures, resampled }
}

function figuresOf(
  labels: readonly string[],
  outcomes: Outcomes,
  rows: readonly number[],
  resampled: Resampled,
): JudgeFigures {
  const tally = tallyOf(outcomes, labels.length, rows)
  const metrics = metricsOf(tally)
  const byLabel = labelFigures(tally)
  return {
    rows: rows.length,
    ...metrics,
    intervals: byMetric((name) => intervalOf(name, metrics[name], resampled)),
    labels: Object.fromEntries(
      labels.flatMap((label, i) => (byLabel[i] ? [[label, byLabel[i]]] : [])),
    ),
    confusion: confusionMatrix(tally),
    reliability: reliabilityBins(tally),
  }
}

function judgeReport(judge: string, all: Part, ofKinds: readonly Part[]): JudgeReport {
  const kindFigures = ofKinds.map(({ kind, figures }) => [kind, found(figures, judge)])
  return { ...found(all.figures, judge), kinds: Object.fromEntries(kindFigures) }
}

function differenceOf({ kind, figures, resampled }: Part, judge: string, base: string): Difference {
  const [a, b] = [found(figures, judge), found(figures, base)]
  const [of, less] = [found(resampled, judge), found(resampled, base)]
  const metrics = byMetric((name) => {
    const value = a[name] - b[name]
    return { value, interval: differenceInterval(name, value, of, less) }
  })
  return { judge, base, kind, metrics }
}

function byMetric<T>(value: (name: MetricName) => T): Record<MetricName, T> {
  return Object.fromEntries(metricNames.map((name) => [name, value(name)])) as Record<MetricName, T>
}

function found<T>(values: ReadonlyMap<string, T>, judge: string): T {
  const value = values.get(judge)
  if (value === undefined) throw new RangeError(`No judge is called ${judge}`)
  return value
}
