/**
 * Watches the stream without labels, which are few: class mix, confidence, disagreement, rare words and length of judged posts by kind and language, and by kind
 * the languages themselves. It only tells: no verdict and no weight depends on it. History does not count, and a restart learns anew.
 */
import type { Logger } from '../../infra/logger.ts'
import type { Post } from '../../ingest/contract.ts'
import type { Verdict } from '../rows.ts'
import { cleanOpening } from '../text/clean.ts'
import { type ContextStatus, MonitorContext, type ShiftedSignal } from './context.ts'
import {
  judgedSignals,
  judgedValues,
  languageSignals,
  languageValues,
  type Signal,
} from './signals.ts'

/** Context of the posts of a kind, whatever their language. */
const anyLanguage = 'any'

export interface StreamMonitor {
  /** Takes verdicts in the order of the log, once each. */
  observe(verdicts: readonly Verdict[]): void
  /** Contexts with posts. */
  status(): ContextStatus[]
}

export interface StreamMonitorDeps {
  readonly logger: Logger
  /** Of a cleaned text; undefined where there is nothing to say. */
  rareWords(cleaned: string): number | undefined
}

export function createStreamMonitor({ logger, rareWords }: StreamMonitorDeps): StreamMonitor {
  const contexts = new Map<string, MonitorContext>()

  function contextOf(
    kind: Post['kind'],
    language: string,
    signals: readonly Signal[],
  ): MonitorContext {
    const key = `${kind} ${language}`
    const context = contexts.get(key) ?? new MonitorContext(kind, language, signals)
    contexts.set(key, context)
    return context
  }

  function take(context: MonitorContext, values: readonly (number | undefined)[]): void {
    const change = context.observe(values)
    if (change === undefined) return
    const { kind, language } = context
    logger.warn({ kind, language, signals: change.map(described) }, 'the stream has changed')
  }

  return {
    observe(verdicts) {
      for (const verdict of verdicts) {
        if (verdict.outcome !== 'scored' && verdict.outcome !== 'unsupported') continue
        const { post, language } = verdict
        if (post.history === true) continue
        take(contextOf(post.kind, anyLanguage, languageSignals), languageValues(language))
        if (verdict.outcome === 'unsupported') continue
        const cleaned = cleanOpening(post.text, post.title)
        const text = { length: post.text.length, rareWords: rareWords(cleaned) }
        take(contextOf(post.kind, language, judgedSignals), judgedValues(verdict.judgement, text))
      }
    },
    status: () => [...contexts.values()].map((context) => context.status()),
  }
}

function described({ signal, before, after }: ShiftedSignal): string {
  return `${signal}: ${before.toFixed(3)} -> ${after.toFixed(3)}`
}
