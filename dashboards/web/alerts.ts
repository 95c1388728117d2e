/** Alerts with why they fired and the texts behind them. */
import type { AlertSummary, AlertText } from '../../alerts/contract.ts'
import { byId, h, setText } from './dom.ts'
import { formatCount, formatPercent, formatProbability, formatTime, type Zone } from './format.ts'
import { postText, probabilityBar } from './post.ts'

const textsShown = 2

export interface AlertsView {
  show(alerts: readonly AlertSummary[]): void
  redraw(): void
  fail(): void
}

export function createAlerts(options: {
  readonly zone: () => Zone
  readonly onSelect: (alert: AlertSummary) => void
}): AlertsView {
  const body = byId('alerts-body', HTMLElement)
  const note = byId('alerts-note', HTMLElement)
  const announcer = byId('announcer', HTMLElement)
  let shown: readonly AlertSummary[] | undefined
  let drawn = ''
  let found = ''

  /** Brings the alert that the address names into view, once. */
  const findLinked = () => {
    const id = /^#\/alerts\/(.+)$/.exec(location.hash)?.[1] ?? ''
    for (const article of body.querySelectorAll('article'))
      article.classList.toggle('linked', article.id === `alert-${id}`)
    if (id === found) return
    found = id
    document.getElementById(`alert-${id}`)?.scrollIntoView({ block: 'nearest' })
  }

  const draw = () => {
    if (shown === undefined) return
    const firing = shown.filter(({ state }) => state !== 'resolved').length
    setText(note, shown.length === 0 ? '' : `${firing} firing, ${shown.length - firing} resolved`)
    const opened = new Set(
      [...body.querySelectorAll('details[open]')].map((element) => element.closest('article')?.id),
    )
    body.replaceChildren(
      ...(shown.length === 0
        ? [
            h(
              'p',
              { class: 'empty' },
              'No alerts. One shows here when an instrument turns far more negative than usual.',
            ),
          ]
        : shown.map((alert) =>
            createAlert(alert, { ...options, isOpen: opened.has(`alert-${alert.id}`) }),
          )),
    )
    findLinked()
  }

  addEventListener('hashchange', findLinked)
  return {
    show(alerts) {
      const key = JSON.stringify(alerts.map(({ id, state, updatedAt }) => [id, state, updatedAt]))
      if (key === drawn) return
      const known = new Set(shown?.map(({ id }) => id))
      const fresh = shown === undefined ? [] : alerts.filter(({ id }) => !known.has(id))
      for (const alert of fresh)
        setText(announcer, `Alert: negative spike on ${alert.instrumentName}`)
      shown = alerts
      drawn = key
      draw()
    },
    redraw: draw,
    fail() {
      if (shown === undefined)
        body.replaceChildren(
          h('p', { class: 'empty' }, 'Alerts could not be loaded. Trying again…'),
        )
    },
  }
}

interface AlertOptions {
  readonly zone: () => Zone
  readonly onSelect: (alert: AlertSummary) => void
  readonly isOpen: boolean
}

function createAlert(alert: AlertSummary, { zone, onSelect, isOpen }: AlertOptions): HTMLElement {
  const name = h('button', { type: 'button', class: 'ticker' }, alert.instrumentName)
  name.addEventListener('click', () => onSelect(alert))
  const explanation = h('p', {}, explain(alert))
  const texts = alert.texts.map((text) => createText(text, zone()))
  const isOver = alert.state === 'resolved'
  const first = isOver ? [] : [explanation, ...texts.slice(0, textsShown)]
  const rest = isOver ? [explanation, ...texts] : texts.slice(textsShown)
  const summary = isOver ? `Why it fired, and ${texts.length} texts` : `${rest.length} more texts`
  return h(
    'article',
    { class: `alert ${alert.state}`, id: `alert-${alert.id}` },
    h(
      'h3',
      {},
      name,
      'negative spike',
      h('span', { class: 'tag' }, alert.state),
      h('span', { class: 'since' }, since(alert, zone())),
    ),
    ...first,
    ...(rest.length === 0
      ? []
      : [h('details', { open: isOpen }, h('summary', {}, summary), ...rest)]),
  )
}

function since(alert: AlertSummary, zone: Zone): string {
  const fired = formatTime(new Date(alert.firedAt), zone)
  if (alert.resolvedAt === null) return `since ${fired}`
  return `${fired} to ${formatTime(new Date(alert.resolvedAt), zone)}`
}

function explain({ evidence }: AlertSummary): string {
  const volume = `Negative volume ${evidence.observed.toFixed(1)}, usual ${evidence.usualLow.toFixed(1)} to ${evidence.usualHigh.toFixed(1)} (p = ${formatProbability(evidence.pValue)}, fires below ${formatProbability(evidence.threshold)}).`
  const breadth = `${formatCount(evidence.posts)} posts, ${formatCount(evidence.stories)} stories, ${formatCount(evidence.negativeStories)} of them negative, ${formatCount(evidence.authors)} authors.`
  const shares = `More posts ${formatPercent(evidence.shareFromPosts)}, more negative ${formatPercent(evidence.shareFromTone)}.`
  return `${volume} ${breadth} ${shares}`
}

function createText(text: AlertText, zone: Zone): HTMLElement {
  const experts = text.experts.map(({ name, negative }) => `${name} ${formatPercent(negative)}`)
  const copies = text.posts > 1 ? [h('span', {}, `${text.posts} posts`)] : []
  return h(
    'blockquote',
    {},
    h(
      'div',
      { class: 'meta' },
      h('time', { datetime: text.publishedAt }, formatTime(new Date(text.publishedAt), zone)),
      h('span', {}, text.source),
      ...copies,
      h(
        'b',
        { class: 'score negative', title: `negative: ${experts.join(', ')}` },
        `▼ ${formatPercent(text.negative)} negative`,
      ),
    ),
    postText(text.text),
    probabilityBar(text.negative, 1 - text.negative, 0),
  )
}
