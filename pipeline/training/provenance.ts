/** What the artifacts are made from, for their manifests: sources, licences and row counts. */
import type { Provenance } from '../experts/artifact.ts'
import type { Example, Source } from './dataset.ts'

const origins: Readonly<Partial<Record<Source, { name: string; licence: string }>>> = {
  tweets: { name: 'zeroshot/twitter-financial-news-sentiment, train split', licence: 'MIT' },
  topics: { name: 'zeroshot/twitter-financial-news-topic, train split', licence: 'MIT' },
  comments: {
    name: 'Taborda et al., Stock Market Tweets Data (2021), labelled part, doi 10.21227/g8vy-5w61',
    licence: 'CC BY 4.0',
  },
  headlines: {
    name: 'SEntFiN 1.0, headlines whose entities share one sentiment',
    licence: 'MIT',
  },
}

export const wordList = {
  name: 'VADER word list and rules (Hutto and Gilbert 2014), npm package vader-sentiment',
  licence: 'Apache-2.0',
  rows: 7_503,
}

export const trainCommand = 'npm run train:linear -- DATA_FOLDER'
export const fitCommand = 'npm run fit -- DATA_FOLDER'
export const fitCascadeCommand = 'npm run fit:cascade -- DATA_FOLDER'

/** Everything but what each artifact says for itself. */
export function provenance(
  examples: readonly Example[],
  command: string,
): Omit<Provenance, 'name' | 'version'> {
  const used = examples.filter(({ sentiment, topic }) => sentiment >= 0 || topic >= 0)
  return {
    base_model: 'none',
    licence: 'Apache-2.0',
    command,
    data: Object.entries(origins).flatMap(([source, origin]) => {
      const rows = used.filter((example) => example.source === source).length
      return rows === 0 ? [] : [{ ...origin, rows }]
    }),
  }
}
