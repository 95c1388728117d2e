/** Fits the maps from an encoder's logits to probabilities, by head and kind. */
import { createHash } from 'node:crypto'
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import type { EncoderManifest } from '../experts/encoder-artifact.ts'
import type { LogitMap } from '../experts/logit-map.ts'
import { type ChosenMap, chooseLogitMap, type ScoredRow } from './choose-logit-map.ts'

export interface EncoderRow extends ScoredRow {
  readonly task: Task
  readonly kind: Post['kind']
}

export interface FittedEncoder {
  readonly manifest: EncoderManifest
  /** Probabilities of each row, by maps fitted on the other folds: what the fusion is fitted on. */
  readonly heldOut: ReadonlyMap<EncoderRow, readonly number[]>
}

type Head = EncoderManifest['heads'][number]

export function fitEncoder(manifest: EncoderManifest, rows: readonly EncoderRow[]): FittedEncoder {
  const heldOut = new Map<EncoderRow, readonly number[]>()
  const calibration: Record<string, Partial<Record<Post['kind'], ChosenMap['figures']>>> = {}
  const choose = (task: Task, kind: Post['kind'], parent?: number): LogitMap | undefined => {
    const ofKind = rows.filter((row) => row.task === task && row.kind === kind)
    if (ofKind.length === 0) return undefined
    const chosen = chooseLogitMap(ofKind, parent)
    ofKind.forEach((row, i) => {
      heldOut.set(row, chosen.heldOut[i] ?? [])
    })
    calibration[task] = { ...calibration[task], [kind]: chosen.figures }
    return chosen.map
  }
  const heads = manifest.heads.map((head) => {
    const news = choose(head.task, 'news') ?? { temperature: 1, biases: [] }
    const comment = choose(head.task, 'comment', news.temperature)
    return withMaps(head, { news, comment: comment ?? { ...news, biases: [] } })
  })
  return {
    manifest: {
      ...manifest,
      version: versionOf(manifest, heads),
      heads,
      metrics: { ...manifest.metrics, calibration },
    },
    heldOut,
  }
}

function withMaps(head: Head, { news, comment }: Record<Post['kind'], LogitMap>): Head {
  const { biases: _, ...rest } = head
  const fitted = {
    ...rest,
    temperatures: { news: news.temperature, comment: comment.temperature },
  }
  return news.biases.length + comment.biases.length === 0
    ? fitted
    : { ...fitted, biases: { news: [...news.biases], comment: [...comment.biases] } }
}

/** Rows that were scored with another calibration name another version. */
function versionOf({ version }: EncoderManifest, heads: readonly Head[]): string {
  const maps = heads.map(({ task, temperatures, biases }) => ({ task, temperatures, biases }))
  const digest = createHash('sha256').update(JSON.stringify(maps)).digest('hex')
  return `${version.split('+')[0]}+${digest.slice(0, 8)}`
}
