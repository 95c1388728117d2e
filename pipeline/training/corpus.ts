/** The labelled texts with their committed splits. */

import { readCommentFolds, readSplits, type SplitName } from '../fitting/splits.ts'
import { type Example, readExamples, type Source } from './dataset.ts'

export interface Corpus {
  /** Rows of a split, all sources or the named ones. */
  rows(split: SplitName, ...sources: Source[]): Example[]
  readonly comments: readonly Example[]
  readonly commentFolds: ReadonlyMap<string, number>
}

const labelledSources = ['tweets', 'comments', 'topics', 'headlines'] as const

/** Throws when a text is in no split: the lists belong to other files. */
export function readCorpus(folder: string): Corpus {
  const splits = readSplits()
  const examples = labelledSources.flatMap((source) => readExamples(folder, source))
  const stray = examples.find(({ id }) => !splits.has(id))
  if (stray !== undefined)
    throw new RangeError(`Text ${stray.id} of ${stray.source} is in no split: run npm run splits`)
  return {
    rows: (split, ...sources) =>
      examples.filter(
        ({ id, source }) =>
          splits.get(id) === split && (sources.length === 0 || sources.includes(source)),
      ),
    comments: examples.filter(({ source }) => source === 'comments'),
    commentFolds: readCommentFolds(),
  }
}
