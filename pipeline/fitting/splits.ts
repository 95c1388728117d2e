/** Which text is for what, for every task: made once by `npm run splits`, committed as id lists. See docs/decisions/0010-splits.md. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../infra/package-root.ts'
import { nearDuplicateClusters, nearDuplicateThreshold } from '../text/near-duplicates.ts'
import { normalisedTokens } from '../text/normalise.ts'

export const splitNames = ['train', 'tune', 'fit', 'report'] as const
export type SplitName = (typeof splitNames)[number]

export const splitsFolder = join(packageRoot, 'pipeline/training/splits')
export const commentFoldCount = 5

const shares: readonly (readonly [SplitName, number])[] = [
  ['train', 0.7],
  ['tune', 0.08],
  ['fit', 0.07],
  ['report', 0.15],
]

export interface IdentifiedText {
  readonly id: string
  readonly text: string
}

/** Per id the smallest id of its near-duplicate cluster. The order of the texts does not matter. */
export function clusterIds(texts: readonly IdentifiedText[]): Map<string, string> {
  const distinct = [...new Map(texts.map(({ id, text }) => [id, text]))].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )
  const clusters = nearDuplicateClusters(
    distinct.map(([, text]) => normalisedTokens(text)),
    nearDuplicateThreshold,
  )
  return new Map(distinct.map(([id], i) => [id, distinct[clusters[i] ?? i]?.[0] ?? id]))
}

/** The split of a cluster: a hash of its id, so that one more text elsewhere moves nothing. */
export function splitOfCluster(clusterId: string): SplitName {
  const at = hashedUnit(`split ${clusterId}`)
  let bound = 0
  for (const [name, share] of shares) {
    bound += share
    if (at < bound) return name
  }
  return 'report'
}

/** 0..commentFoldCount - 1. */
export function foldOfCluster(clusterId: string): number {
  return Math.floor(hashedUnit(`fold ${clusterId}`) * commentFoldCount)
}

/** The committed assignment: split by text id. */
export function readSplits(): Map<string, SplitName> {
  return new Map(
    splitNames.flatMap((name) =>
      readLines(`${name}.txt`).map((id): [string, SplitName] => [id, name]),
    ),
  )
}

/** The committed assignment: fold by id of a comment. */
export function readCommentFolds(): Map<string, number> {
  return new Map(
    readLines('comment-folds.txt').map((line) => {
      const [id = '', fold = ''] = line.split(' ')
      return [id, Number(fold)]
    }),
  )
}

function readLines(file: string): string[] {
  return readFileSync(join(splitsFolder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

function hashedUnit(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32
}
