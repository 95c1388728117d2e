/** A record of `feedback` as it stands in the log: anything may stand there. */
import Compile from 'typebox/compile'
import { decodeJson } from '../../../ingest/contract.ts'
import { sentiments, type Task, topicLabels } from '../../contract.ts'
import { FeedbackRecord } from '../../feedback/record.ts'

const shape = Compile(FeedbackRecord)

const labelCounts: Readonly<Record<Task, number>> = {
  sentiment: sentiments.length,
  topic: topicLabels.length,
}

/** Of a sum of 20 probabilities of 32 bits, with room. */
const sumTolerance = 1e-3

/** Undefined when it is no record that teaches anything: another shape, a label that the task lacks, or what is no distribution over its labels. */
export function readFeedback(value: Uint8Array): FeedbackRecord | undefined {
  const json = decodeJson(value)
  if (!json.ok || !shape.Check(json.value)) return undefined
  const record = json.value
  const labels = labelCounts[record.task]
  const isSound =
    record.label < labels &&
    (record.fused.length === 0 || isDistribution(record.fused, labels)) &&
    record.experts.every(({ probabilities }) => isDistribution(probabilities, labels)) &&
    new Set(record.experts.map(({ name, version }) => JSON.stringify([name, version]))).size ===
      record.experts.length
  return isSound ? record : undefined
}

function isDistribution(probabilities: readonly number[], labels: number): boolean {
  const sum = probabilities.reduce((total, p) => total + p, 0)
  return probabilities.length === labels && Math.abs(sum - 1) <= sumTolerance
}
