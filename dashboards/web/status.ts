/** The header: whether the page is live, how far behind, and that a replay is one. */
import type { Overview, Status } from '../contract.ts'
import { byId, h, setText } from './dom.ts'
import {
  formatCount,
  formatDay,
  formatScore,
  formatSpan,
  formatTime,
  formatTone,
  toneClass,
  type Zone,
  zoneName,
} from './format.ts'

export type Connection = 'connecting' | 'live' | 'lost'

export function showConnection(state: Connection, status: Status | undefined, zone: Zone): void {
  byId('live', HTMLElement).dataset.state = state
  const lost = byId('lost', HTMLElement)
  if (state === 'lost' && lost.hidden)
    setText(
      lost,
      `Connection lost at ${formatTime(new Date(), zone)} ${zoneName(zone)}. The page shows the last data and reconnects by itself.`,
    )
  lost.hidden = state !== 'lost'
  setText(byId('live-text', HTMLElement), state === 'live' ? liveText(status) : state)
}

function liveText(status: Status | undefined): string {
  if (status === undefined) return 'live'
  const delay = status.delayMs === null ? '' : `, ${formatSpan(status.delayMs)} behind`
  const waiting =
    status.waiting === null || status.waiting === 0
      ? ''
      : `, ${formatCount(status.waiting)} waiting`
  const rate = status.postsPerSecond > 0 ? `, ${status.postsPerSecond.toFixed(1)} posts/s` : ''
  const dead =
    status.deadLetters === 0 ? '' : `, ${formatCount(status.deadLetters)} open dead letters`
  return `live${delay}${rate}${waiting}${dead}`
}

export function showClock(zone: Zone): void {
  setText(byId('clock', HTMLElement), `${formatTime(new Date(), zone)} ${zoneName(zone)}`)
}

export function showReplay({ replay }: Status, zone: Zone): void {
  const banner = byId('replay', HTMLElement)
  banner.hidden = replay === null
  if (replay === null) return
  const { state, title, speed, sourceTime, posts, total } = replay
  const pace = `${formatCount(speed)}×`
  const words = {
    seeding: `Loading the history before the replay of ${title}, then ${pace}`,
    playing: `Replay of ${title} at ${pace}`,
    finished: `Replay finished: ${title}`,
    failed: `Replay failed: ${title}; the log of the monitor says why`,
  }[state]
  setText(byId('replay-title', HTMLElement), words)
  const time =
    sourceTime === null
      ? ''
      : `source time ${formatDay(new Date(sourceTime), zone)} ${zoneName(zone)}`
  setText(byId('replay-time', HTMLElement), time)
  const progress = byId('replay-progress', HTMLProgressElement)
  progress.value = total === 0 ? 0 : posts / total
  setText(byId('replay-count', HTMLElement), `${formatCount(posts)} of ${formatCount(total)} posts`)
}

export function showVersions({ versions }: Status): void {
  const words = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  byId('versions', HTMLElement).replaceChildren(
    words.join(' · '),
    ...(words.length > 0 ? [' · '] : []),
    h('a', { href: '/api/openapi.json' }, 'API'),
  )
}

export function showKpis({ kpis }: Overview, firing: number | undefined): void {
  const { mood, usual, posts, postsPerMinute, instruments } = kpis
  const band =
    usual === null ? '' : `, usual ${formatScore(usual.low)} to ${formatScore(usual.high)}`
  byId('kpis', HTMLElement).replaceChildren(
    kpi(
      mood === null ? '–' : formatTone(mood),
      `market mood now${band}`,
      mood === null ? '' : toneClass(mood),
    ),
    kpi(formatCount(posts), `posts, ${postsPerMinute.toFixed(1)} a minute now`),
    kpi(formatCount(instruments), 'instruments mentioned'),
    ...(firing === undefined ? [] : [kpi(formatCount(firing), 'alerts firing')]),
  )
}

const kpi = (figure: string, label: string, tone = ''): HTMLElement =>
  h('div', {}, h('b', { class: tone }, figure), label)
