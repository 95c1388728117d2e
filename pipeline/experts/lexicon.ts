/**
 * The `lexicon` expert: VADER (Hutto and Gilbert 2014), a word list with rules, as prior knowledge and honest baseline. Sentiment only.
 * Its compound score c in -1..1 becomes probabilities by a multinomial logistic map on (1, max(c, 0), max(-c, 0)), one a kind.
 * Model card: pipeline/models/lexicon/README.md.
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { SentimentIntensityAnalyzer } from 'vader-sentiment'
import { cleanOpening } from '../text/clean.ts'
import { modelsFolder, Provenance, readManifest } from './artifact.ts'
import type { Expert } from './expert.ts'
import { softmax } from './probabilities.ts'

export const lexiconFolder = join(modelsFolder, 'lexicon')

/** A row a label, in the order of `sentiments`: the weights of (1, max(c, 0), max(-c, 0)). */
const CompoundMap = Type.Array(Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }), {
  minItems: 3,
  maxItems: 3,
})

export const LexiconManifest = Type.Intersect([
  Provenance,
  Type.Object({
    maps: Type.Object({ news: CompoundMap, comment: CompoundMap }),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type LexiconManifest = Static<typeof LexiconManifest>

/** Throws `MODEL` when the manifest is missing or damaged. */
export function readLexicon(folder: string = lexiconFolder): LexiconManifest {
  return readManifest(join(folder, 'manifest.json'), LexiconManifest)
}

export function createLexiconExpert(manifest: LexiconManifest): Expert {
  return {
    name: manifest.name,
    version: manifest.version,
    tasks: ['sentiment'],
    classify: async (batch) =>
      batch.map(({ kind, text, title }) => {
        const features = compoundFeatures(compoundScore(cleanOpening(text, title)))
        return { sentiment: softmax(manifest.maps[kind].map((row) => dot(row, features))) }
      }),
    close: async () => {},
  }
}

/**
 * No word of the list is as long, and one of the package's patterns takes time by the cube of a word's length:
 * one "word" of 2,000 capitals would block the process for seconds.
 */
const overlongWord = /\S{41,}/g

/** VADER's compound score of a cleaned text; 0 where no word is known. */
export function compoundScore(cleaned: string): number {
  return SentimentIntensityAnalyzer.polarity_scores(cleaned.replace(overlongWord, ' ')).compound
}

export function compoundFeatures(compound: number): readonly [number, number, number] {
  return [1, Math.max(compound, 0), Math.max(-compound, 0)]
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
