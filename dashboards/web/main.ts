/** Starts the page: settings, the live stream, and a refresh of charts and tables every few seconds. */
import type { AlertSummary } from '../../alerts/contract.ts'
import type { Overview, Range, Status } from '../contract.ts'
import { createAlerts } from './alerts.ts'
import { getAlerts, getOverview, getPosts, getSeries, getStatus, getTopics } from './api.ts'
import { byId, h, setAttributes, setText } from './dom.ts'
import { createFeed } from './feed.ts'
import type { Zone } from './format.ts'
import { createMarket } from './market.ts'
import { createMovers } from './movers.ts'
import { createSegments, loadSettings, rangeNames, saveSettings } from './settings.ts'
import {
  type Connection,
  showClock,
  showConnection,
  showKpis,
  showReplay,
  showVersions,
} from './status.ts'
import { openStream } from './stream.ts'
import { showTopics } from './topics.ts'

const refreshMs = 2_500
const feedLength = 100

const settings = loadSettings()
let connection: Connection = 'connecting'
let status: Status | undefined
let overview: Overview | undefined
let alerts: readonly AlertSummary[] | undefined

const zone = (): Zone => settings.zone
/** A fast replay fits a quarter of an hour; a live source wants hours. */
const range = (): Range => settings.range ?? (status?.replay == null ? '4h' : '15m')
const selected = (): string | undefined => {
  const match = /^#\/instruments\/(.+)$/.exec(location.hash)
  return match?.[1] === undefined ? undefined : decodeURIComponent(match[1])
}
const select = ({ instrument }: { readonly instrument: string }): void => {
  location.hash = `/instruments/${encodeURIComponent(instrument)}`
}

const market = createMarket(zone)
const movers = createMovers(select)
const alertsView = createAlerts({ zone, onSelect: select })
const feed = createFeed(() => ({ zone: zone(), onSelect: select }))
const showRange = createSegments('range', rangeNames, (value) => {
  settings.range = value
  saveSettings(settings)
  void refresh()
})
const showZone = createSegments<Zone>(
  'zone',
  [
    ['utc', 'UTC'],
    ['local', 'Local'],
  ],
  (value) => {
    settings.zone = value
    saveSettings(settings)
    redraw()
  },
)

function redraw(): void {
  showClock(zone())
  market.redraw()
  alertsView.redraw()
  feed.redraw()
  void refresh()
}

function applyTheme(): void {
  document.documentElement.dataset.theme = settings.theme
  const button = byId('theme', HTMLButtonElement)
  setText(button, settings.theme === 'dark' ? 'Light theme' : 'Dark theme')
  setAttributes(button, { 'aria-pressed': String(settings.theme === 'light') })
}

function setConnection(state: Connection): void {
  connection = state
  showConnection(connection, status, zone())
}

let refreshing = false
let wantsRefresh = false

/** One refresh at a time; what is asked for meanwhile makes one more. What fails keeps what is shown. */
async function refresh(): Promise<void> {
  wantsRefresh = true
  if (refreshing) return
  refreshing = true
  while (wantsRefresh) {
    wantsRefresh = false
    await Promise.allSettled([loadStatus().then(loadCharts).catch(showFailure), loadAlerts()])
  }
  refreshing = false
}

async function loadStatus(): Promise<void> {
  status = await getStatus()
  showConnection(connection, status, zone())
  showReplay(status, zone())
  showVersions(status)
  showRange(range())
}

async function loadCharts(): Promise<void> {
  const id = selected()
  overview = await getOverview(range())
  showFigures()
  movers.show(overview.movers, id)
  await showChart(overview, id)
  showTopics(await getTopics(range()), zone())
}

/** What was shown before stays; a page that never had data says so. */
function showFailure(): void {
  if (overview !== undefined) return
  for (const id of ['movers-body', 'topics-body'])
    byId(id, HTMLElement).replaceChildren(
      h('p', { class: 'empty' }, 'This could not be loaded. Trying again…'),
    )
}

function showFigures(): void {
  const firing = alerts?.filter(({ state }) => state !== 'resolved').length
  if (overview !== undefined) showKpis(overview, firing)
}

async function showChart({ window, mood, kpis }: Overview, id: string | undefined): Promise<void> {
  byId('chart-market', HTMLElement).hidden = id === undefined
  const marks = (alerts ?? []).filter(({ instrument }) => id === undefined || instrument === id)
  const shared = { marks: marks.map(({ firedAt }) => Date.parse(firedAt)) }
  if (id === undefined) {
    const note = 'mean score of posts, all instruments; bars: posts'
    market.show({ ...shared, title: 'Market mood', note, window, points: mood, usual: kpis.usual })
    return
  }
  const series = await getSeries(id, range())
  const title = `${series.ticker} ${series.name}`.trim()
  const note = 'mean score of posts that mention it; bars: posts'
  market.show({ ...shared, title, note, window: series.window, points: series.points, usual: null })
}

async function loadAlerts(): Promise<void> {
  try {
    alerts = (await getAlerts()).alerts
    alertsView.show(alerts)
    showFigures()
  } catch {
    alertsView.fail()
  }
}

async function loadFeed(): Promise<void> {
  try {
    feed.reset((await getPosts(feedLength)).posts)
  } catch {
    feed.fail()
    setTimeout(() => void loadFeed(), refreshMs)
  }
}

applyTheme()
showZone(settings.zone)
showRange(range())
showClock(zone())
byId('theme', HTMLElement).addEventListener('click', () => {
  settings.theme = settings.theme === 'dark' ? 'light' : 'dark'
  saveSettings(settings)
  applyTheme()
  redraw()
})
byId('chart-market', HTMLElement).addEventListener('click', () => {
  location.hash = '/'
})
addEventListener('hashchange', () => void refresh())
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh()
})
setInterval(() => showClock(zone()), 1_000)
setInterval(() => {
  if (!document.hidden) void refresh()
}, refreshMs)
void refresh()
openStream({
  onHello: ({ resumed }) => {
    setConnection('live')
    if (!resumed) void loadFeed()
    void refresh()
  },
  onPosts: (posts) => feed.add(posts),
  onAlert: () => void refresh(),
  onLost: () => setConnection('lost'),
})
