/** Fits the lexicon's map from VADER's compound score to probabilities. */
import { sentiments } from '../contract.ts'
import { compoundFeatures, compoundScore, dot, type LexiconManifest } from '../experts/lexicon.ts'
import { softmax } from '../experts/probabilities.ts'
import { cleanOpening } from '../text/clean.ts'
import type { Example } from './dataset.ts'
import { fitLogistic } from './logistic.ts'
import { figures } from './metrics.ts'
import { provenance, wordList } from './provenance.ts'

/** One map a kind. The word list has seen no row and a map has six free numbers, so all rows outside `report` may teach it. */
export function fitLexicon(rows: readonly Example[]): LexiconManifest {
  const observed = rows.map((example) => ({
    example,
    features: compoundFeatures(compoundScore(cleanOpening(example.text))),
    label: example.sentiment,
  }))
  const ofKind = (kind: Example['kind']) => observed.filter(({ example }) => example.kind === kind)
  const maps = {
    news: fitLogistic(ofKind('news'), sentiments.length),
    comment: fitLogistic(ofKind('comment'), sentiments.length),
  }
  const { data, ...rest } = provenance(rows)
  const figuresOf = (kind: Example['kind']) =>
    figures(
      ofKind(kind).map(({ features, label }) => ({
        probabilities: softmax(maps[kind].map((row) => dot(row, features))),
        label,
      })),
    )
  return {
    name: 'lexicon',
    version: '1',
    ...rest,
    data: [wordList, ...data],
    maps,
    metrics: { fittedRows: { news: figuresOf('news'), comment: figuresOf('comment') } },
  }
}

export function lexiconOpinion(maps: LexiconManifest['maps'], { kind, text }: Example): number[] {
  const features = compoundFeatures(compoundScore(cleanOpening(text)))
  return softmax(maps[kind].map((row) => dot(row, features)))
}
