/** Fits what stands after the experts: the static weight of the lexicon by kind, and the temperatures after fusion. */

import type { Post } from '../../ingest/contract.ts'
import {
  createCalibration,
  type FusionManifest,
  logarithms,
  tempered,
} from '../allocator/calibration.ts'
import { fuse } from '../allocator/fusion.ts'
import type { Task } from '../contract.ts'
import { figures, logLoss, type Prediction, rounded } from '../evaluation/metrics.ts'
import type { Example } from './dataset.ts'
import { provenance } from './provenance.ts'
import { fitTemperature } from './temperature.ts'

/** The calibrated opinions of all experts on one labelled text. */
export interface Judged {
  readonly kind: Post['kind']
  readonly task: Task
  readonly label: number
  readonly opinions: Readonly<Record<string, readonly number[]>>
}

type Weights = Readonly<Record<string, number>>

/** The lexicon's share in steps of 0.05 that gives the least log-loss after a temperature of its own. */
function fitLexiconShare(judged: readonly Judged[]): {
  readonly weights: Weights
  readonly losses: Readonly<Record<string, number>>
} {
  const tried = Array.from({ length: 21 }, (_, i) => {
    const share = i / 20
    const weights = { linear: rounded(1 - share), lexicon: share }
    const fused = fuseAll(judged, weights)
    const temperature = temperatureOf(fused)
    return { share, weights, loss: logLoss(fused.map((p) => temperedPrediction(p, temperature))) }
  })
  const best = tried.reduce((a, b) => (b.loss < a.loss ? b : a))
  return {
    weights: best.weights,
    losses: Object.fromEntries(tried.map(({ share, loss }) => [String(share), rounded(loss)])),
  }
}

/** From the task to its kinds to the sets of experts, each shrunk to its parent. */
function fitTemperatures(
  judged: readonly Judged[],
  weights: Readonly<Record<Post['kind'], Weights>>,
): FusionManifest['temperatures'] {
  const nodes: FusionManifest['temperatures'] = []
  const add = (
    rows: readonly Prediction[],
    at: { task: Task; kind: Post['kind'] | ''; experts: string },
    parent: number | undefined,
  ) => {
    const temperature = rounded(temperatureOf(rows, parent))
    nodes.push({ ...at, temperature, rows: rows.length })
    return temperature
  }
  for (const task of ['sentiment', 'topic'] as const) {
    const ofTask = judged.filter((row) => row.task === task)
    const root = add(fuseByKind(ofTask, weights), { task, kind: '', experts: '' }, undefined)
    for (const kind of ['news', 'comment'] as const) {
      const ofKind = ofTask.filter((row) => row.kind === kind)
      if (ofKind.length === 0) continue
      const fused = fuseAll(ofKind, weights[kind])
      const parent = add(fused, { task, kind, experts: '' }, root)
      for (const set of expertSets(ofKind))
        add(fuseAll(ofKind, weights[kind], set), { task, kind, experts: set.join('+') }, parent)
    }
  }
  return nodes
}

function fuseAll(
  judged: readonly Judged[],
  weights: Weights,
  experts: readonly string[] = Object.keys(weights),
): Prediction[] {
  return judged.map(({ opinions, label }) => ({
    label,
    probabilities: fuse(
      experts.flatMap((expert) => {
        const probabilities = opinions[expert]
        return probabilities === undefined ? [] : [{ weight: weights[expert] ?? 0, probabilities }]
      }),
    ),
  }))
}

function temperedPrediction(prediction: Prediction, temperature: number): Prediction {
  return { ...prediction, probabilities: tempered(prediction.probabilities, temperature) }
}

function fuseByKind(
  judged: readonly Judged[],
  weights: Readonly<Record<Post['kind'], Weights>>,
): Prediction[] {
  return judged.flatMap((row) => fuseAll([row], weights[row.kind]))
}

function temperatureOf(predictions: readonly Prediction[], parent?: number): number {
  return fitTemperature(
    predictions.map(({ probabilities, label }) => ({ logits: logarithms(probabilities), label })),
    parent,
  )
}

/** Every non-empty set of the experts that judge these rows, each sorted. */
function expertSets(judged: readonly Judged[]): string[][] {
  const names = Object.keys(judged[0]?.opinions ?? {}).sort()
  return Array.from({ length: 2 ** names.length - 1 }, (_, i) =>
    names.filter((_name, bit) => ((i + 1) >> bit) & 1),
  )
}

/** The manifest of the fusion. `rows` are the examples that `judged` came from. */
export function fitFusion(judged: readonly Judged[], rows: readonly Example[]): FusionManifest {
  const sentiment = (kind: Post['kind']) =>
    judged.filter((row) => row.task === 'sentiment' && row.kind === kind)
  const shares = {
    news: fitLexiconShare(sentiment('news')),
    comment: fitLexiconShare(sentiment('comment')),
  }
  const weights = { news: shares.news.weights, comment: shares.comment.weights }
  const temperatures = fitTemperatures(judged, weights)
  const calibration = createCalibration(temperatures)
  const figuresOf = (kind: Post['kind']) => {
    const fused = fuseAll(sentiment(kind), weights[kind])
    const context = { task: 'sentiment', kind, experts: Object.keys(weights[kind]) } as const
    return {
      linear: figures(fuseAll(sentiment(kind), { linear: 1 })),
      lexicon: figures(fuseAll(sentiment(kind), { lexicon: 1 })),
      fused: figures(fused),
      calibrated: figures(
        fused.map(({ label, probabilities }) => ({
          label,
          probabilities: calibration.calibrate(probabilities, context),
        })),
      ),
      logLossByLexiconShare: shares[kind].losses,
    }
  }
  return {
    name: 'fusion',
    version: '1',
    ...provenance(rows),
    reference_weights: weights,
    temperatures,
    metrics: { fittedRows: { news: figuresOf('news'), comment: figuresOf('comment') } },
  }
}
