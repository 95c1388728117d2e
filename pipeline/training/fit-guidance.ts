/** Fits the maps of the expert `guidance` from which phrases a text has to probabilities. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sentiments } from '../contract.ts'
import { figures } from '../evaluation/metrics.ts'
import {
  GuidanceFeatures,
  type GuidanceManifest,
  guidanceFolder,
  type LoadedGuidance,
} from '../experts/guidance.ts'
import { readGuidanceTables } from '../experts/guidance-patterns.ts'
import { dot } from '../experts/lexicon.ts'
import { softmax } from '../experts/probabilities.ts'
import { cleanOpening } from '../text/clean.ts'
import type { Example } from './dataset.ts'
import { fitLogistic } from './logistic.ts'
import { provenance } from './provenance.ts'

export const guidanceCommand = 'npm run train:guidance -- DATA_FOLDER'

/** One map a kind, on rows of both. */
export function fitGuidance(
  rows: readonly Example[],
  folder: string = guidanceFolder,
): LoadedGuidance {
  const [patterns, words] = ['patterns.csv', 'words.csv'].map((file) =>
    readFileSync(join(folder, file)),
  )
  if (patterns === undefined || words === undefined) throw new RangeError('two tables')
  const tables = readGuidanceTables(patterns, words)
  const features = new GuidanceFeatures(tables)
  const observed = rows.map((example) => ({
    kind: example.kind,
    features: features.of(cleanOpening(example.text)),
    label: example.sentiment,
  }))
  const ofKind = (kind: Example['kind']) => observed.filter((row) => row.kind === kind)
  const mapOf = (kind: Example['kind']) =>
    fitLogistic(ofKind(kind), sentiments.length).map((row) => row.map(toFourDigits))
  const maps = { news: mapOf('news'), comment: mapOf('comment') }
  const figuresOf = (kind: Example['kind']) =>
    figures(
      ofKind(kind).map(({ features, label }) => ({
        probabilities: softmax(maps[kind].map((row) => dot(row, features))),
        label,
      })),
    )
  const manifest: GuidanceManifest = {
    name: 'guidance',
    version: `1-${sha256Of(patterns).slice(0, 8)}`,
    ...provenance(rows, guidanceCommand),
    patterns: { file: 'patterns.csv', sha256: sha256Of(patterns) },
    words: { file: 'words.csv', sha256: sha256Of(words) },
    features: [...features.names],
    maps,
    metrics: { fittedRows: { news: figuresOf('news'), comment: figuresOf('comment') } },
  }
  return { manifest, tables }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function toFourDigits(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
