/**
 * The `guidance` expert: phrases that move markets (guidance raised, estimates missed, shares down 5%, calls and puts) with their direction and negation, as
 * knowledge beside what networks have learned. Sentiment only. The features of a text are which groups of phrases it has, by direction; they become
 * probabilities by a multinomial logistic map, one a kind. Model card: pipeline/models/guidance/README.md.
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { cleanOpening } from '../text/clean.ts'
import { modelsFolder, Provenance, readManifest, readWeights } from './artifact.ts'
import type { Expert } from './expert.ts'
import { type GuidanceTables, readGuidanceTables } from './guidance-patterns.ts'
import { dot } from './lexicon.ts'
import { PhraseMatcher } from './phrases.ts'
import { softmax } from './probabilities.ts'

export const guidanceFolder = join(modelsFolder, 'guidance')

/** A row a label, in the order of `sentiments`: the weights of the features. */
const FeatureMap = Type.Array(Type.Array(Type.Number()), { minItems: 3, maxItems: 3 })
const Table = Type.Object({ file: Type.String(), sha256: Type.String() })

export const GuidanceManifest = Type.Intersect([
  Provenance,
  Type.Object({
    patterns: Table,
    words: Table,
    /** What the columns of the maps stand for. */
    features: Type.Array(Type.String()),
    maps: Type.Object({ news: FeatureMap, comment: FeatureMap }),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type GuidanceManifest = Static<typeof GuidanceManifest>

export interface LoadedGuidance {
  readonly manifest: GuidanceManifest
  readonly tables: GuidanceTables
}

/** Throws `MODEL` when the artifact is missing or damaged. */
export function readGuidance(folder: string = guidanceFolder): LoadedGuidance {
  const manifest = readManifest(join(folder, 'manifest.json'), GuidanceManifest)
  const bytesOf = ({ file, sha256 }: Static<typeof Table>) =>
    readWeights(join(folder, file), sha256)
  const tables = readGuidanceTables(bytesOf(manifest.patterns), bytesOf(manifest.words))
  return { manifest, tables }
}

export function createGuidanceExpert({ manifest, tables }: LoadedGuidance): Expert {
  const features = new GuidanceFeatures(tables)
  return {
    name: manifest.name,
    version: manifest.version,
    tasks: ['sentiment'],
    classify: async (batch) =>
      batch.map(({ kind, text, title }) => {
        const found = features.of(cleanOpening(text, title))
        return { sentiment: softmax(manifest.maps[kind].map((row) => dot(row, found))) }
      }),
    close: async () => {},
  }
}

/** Which features a cleaned text has: 1 for each, 0 for the others. The first is every text's. */
export class GuidanceFeatures {
  readonly names: readonly string[]
  readonly #tables: GuidanceTables
  readonly #matcher: PhraseMatcher

  constructor(tables: GuidanceTables) {
    const { patterns, negators } = tables
    this.#tables = tables
    this.#matcher = new PhraseMatcher(
      patterns.map(({ phrase }) => phrase),
      negators,
    )
    const groups = patterns.map(({ group, direction }) => `${group} ${direction}`)
    this.names = ['any', ...new Set(groups), 'negated up', 'negated down']
  }

  of(cleaned: string): number[] {
    const found = new Set(['any'])
    for (const { phrase, negated } of this.#matcher.find(cleaned)) {
      const pattern = this.#tables.patterns[phrase]
      if (pattern === undefined) continue
      found.add(`${negated ? 'negated' : pattern.group} ${pattern.direction}`)
    }
    return this.names.map((name) => Number(found.has(name)))
  }
}
