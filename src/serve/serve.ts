import { createHash, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { adminApp } from "../admin/app.ts";
import { type Config, readConfig } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import type { Store } from "../domain/store.ts";
import { Directory, type KeyHolder } from "../gateway/directory.ts";
import { explain } from "../gateway/explain.ts";
import { InFlight } from "../gateway/in-flight.ts";
import { LeakWatch } from "../gateway/leak-watch.ts";
import type { Handlers, Listener } from "../gateway/listen.ts";
import { MemoryHomes } from "../gateway/object-homes.ts";
import { ObjectIndex } from "../gateway/object-index.ts";
import { identifyByProxyToken } from "../gateway/proxy-token.ts";
import { patternPath } from "../gateway/route.ts";
import type { Journal } from "../ledger/journal.ts";
import { MemoryLimiter } from "../limits/memory-limiter.ts";
import { openSqliteStore } from "../storage/sqlite/open.ts";
import type { Webhook } from "../telemetry/webhook.ts";
import { UpstreamClient } from "../upstream/client.ts";
import { ProxiedSender } from "../upstream/sender.ts";
import { loadVaultKey } from "../vault/key-file.ts";
import { Vault } from "../vault/vault.ts";
import { version } from "../version.ts";
import { openAccounting } from "./accounting.ts";
import { addressProblem } from "./address-problem.ts";
import { adminPaths } from "./admin-paths.ts";
import { bundledConsole } from "./bundled-console.ts";
import { Callers } from "./callers.ts";
import { ChildKeys } from "./child-keys.ts";
import { REMEMBERED_CHILD_MS, startChores } from "./chores.ts";
import { Claims } from "./claims.ts";
import { ClientPackage } from "./client-package.ts";
import { consolePages } from "./console.ts";
import { bundleConsole } from "./console-bundle.ts";
import { Credentials } from "./credentials.ts";
import { type DataDirectory, openDataDirectory, operatorToken } from "./data-directory.ts";
import { noteEnvironment } from "./environment-note.ts";
import { exportsFile, makeFirstUser, refreshExports, writeExports } from "./first-start.ts";
import { type Greeting, greeting } from "./greeting.ts";
import { tellLeaks } from "./leaks.ts";
import { openListeners } from "./listeners.ts";
import { Me } from "./me.ts";
import { webhookProblem } from "./organisation.ts";
import { ownPaths } from "./own-paths.ts";
import { startProblems } from "./problems.ts";
import { Providers } from "./providers.ts";
import { ProxyMode, proxyAddress } from "./proxy-mode.ts";
import { RequestAccounts } from "./request-accounts.ts";
import { firstLink, signInParts } from "./sign-in.ts";
import { openTls } from "./tls.ts";
import { tokenPath } from "./token-path.ts";

/** Where the console's sources are, unless this is the executable, which brings the console itself. */
const CHECKOUT = join(import.meta.dir, "../..");

/** What a stop has to end, in this order. */
interface Running {
  readonly inFlight: InFlight;
  readonly listener: Listener;
  readonly adminListener: Listener | undefined;
  readonly stopTls: () => Promise<void>;
  readonly journal: Journal;
  readonly stopChores: () => void;
  readonly webhook: Webhook;
  readonly credentials: Credentials;
  readonly store: Store;
  readonly data: DataDirectory;
}

/** What a demo does its own way. */
export interface Variant {
  /** Whoever the gateway begins with; the user whose exports file is to be written, if any. */
  readonly makeUsers: typeof makeFirstUser;
  readonly greeting: (facts: Greeting) => string;
  /** Called once the gateway listens at this address; what it returns is awaited before the gateway stops. */
  readonly started?: (url: string) => () => Promise<void>;
}

const usual: Variant = { makeUsers: makeFirstUser, greeting };

/**
 * Runs the gateway until a signal stops it.
 * @param environment Settings; `.env` in `folder` completes it.
 * @returns the exit code.
 */
export async function serve(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
  variant: Variant = usual,
): Promise<number> {
  try {
    const config = readConfig(environment, folder);
    // Asked for before anybody can know that we run: a signal in between would end us at once.
    const signal = nextSignal();
    const running = await start(config, folder, variant);
    const end = variant.started?.(running.listener.url);
    await signal;
    await end?.();
    await stop(running, config.drainMs);
    return 0;
  } catch (error) {
    const lines = startProblems(error);
    if (lines === undefined) throw error;
    for (const line of lines) console.error(`lmk: ${line}`);
    return 1;
  }
}

async function start(config: Config, folder: string, variant: Variant): Promise<Running> {
  for (const warning of config.warnings) report(warning);
  const clock = systemClock;
  const data = openDataDirectory(config.dataDir);
  const keyEncryptionKey = loadVaultKey(config.vaultKey, data.vaultKeyFile, data.isNew);
  const store = await openSqliteStore(data.database);
  const vault = await Vault.open(keyEncryptionKey, store);
  await store.openAudit(vault.keyFor("audit"));
  const isOperator = equals(operatorToken(config.adminToken, data.operatorTokenFile));
  const providers = new Providers(config.providers, store, report);
  await providers.load();
  const { upstreams } = providers;
  const tls = await openTls(config, upstreams, { store, sealer: vault, clock, report });
  const { listener, adminListener, publicUrl, consoleUrl } = openListeners(config, tls.certificates, report);
  const signIn = signInParts({ config, store, vault, clock, consoleUrl });
  const place = { publicUrl, ...(tls.trust === undefined ? {} : { trust: tls.trust }) };
  const usable = () => providers.usable;
  const directory = new Directory((provider, path) => {
    const known = upstreams.get(provider)?.provider;
    return known === undefined ? path.toLowerCase() : patternPath(known, path);
  });
  const callers = new Callers(directory, vault, clock);
  const exports = exportsFile(folder, config.dataDir);
  const updateExports = () =>
    refreshExports(
      exports,
      (key) => callers.isValid(key),
      place,
      usable().map(({ provider }) => provider),
    );
  const { upstreamProxy } = config;
  const credentials = new Credentials({
    store,
    vault,
    clock,
    upstreams,
    providers: () => providers.all,
    upstreamProxy,
    changed: updateExports,
    report,
  });

  const firstUser = await variant.makeUsers(store, vault, clock);
  if (firstUser !== undefined) writeExports(exports, firstUser, place, []);
  const consoleLink = firstUser && (await firstLink(store, clock, signIn, firstUser.id));
  await noteEnvironment(store, config.providers, clock.now());
  const loadDirectory = () => directory.load(store, clock.now() - REMEMBERED_CHILD_MS);
  await loadDirectory();
  await credentials.load();

  const accounting = await openAccounting({
    config,
    providers: () => providers.descriptions,
    store,
    vault,
    clock,
    directory,
    report,
  });
  const { prices, organisation, webhook, ledger, journal, repricer, budgetsChanged } = accounting;
  const inFlight = new InFlight();
  const objects = new ObjectIndex(store);
  const directoryChanged = async () => {
    await loadDirectory();
    budgetsChanged();
  };
  const providersChanged = async () => {
    await providers.load();
    directory.forgetPatterns();
    await Promise.all([credentials.load(), prices.load(), directoryChanged()]);
  };
  const chores = startChores({ store, inFlight, ledger, clock, retentionMs: config.logRetentionMs, report });
  const accounts = new RequestAccounts(store);
  const admin = adminApp(
    {
      store,
      clock,
      publicUrl,
      keyHasher: vault,
      ...signIn,
      isOperator,
      directoryChanged,
      cutKeys: (keyIds) => inFlight.cutKeys(keyIds),
      credentials,
      providers: () => providers.views(),
      providersChanged,
      addresses: { problemOf: addressProblem },
      prices: () => prices.book,
      pricesChanged: () => prices.load(),
      objectsChanged: () => objects.forget(),
      ledger,
      reprice: (filter) => repricer.run(filter),
      explain: (call, caller) =>
        explain(call, caller, { upstreams, directory, ledger, prices: prices.book, now: clock.now() }),
      accountOf: (row) => accounts.of(row),
      holderOfKey: (key) => callers.userOf(key),
      webhooks: { problemOf: webhookProblem, seal: (url, secret) => organisation.seal(url, secret) },
      settingsChanged: async () => {
        await organisation.load();
        budgetsChanged();
      },
    },
    version,
    report,
  );
  const childKeys = new ChildKeys({
    store,
    directory,
    hasher: vault,
    inFlight,
    clock,
    directoryChanged,
    providers: () => usable().map(({ provider }) => provider.id),
  });
  const proxy =
    config.proxy &&
    (await ProxyMode.open({
      config: config.proxy,
      hosts: tls.hosts,
      upstreams,
      certificates: await tls.proxyCertificates(),
      publicUrl,
      identify: (token) => identifyByProxyToken(token, directory, vault, clock.now()),
      log: (row) => journal.log(row),
      clock,
      report,
    }));
  const claims = new Claims({
    store,
    hasher: vault,
    clock,
    publicUrl,
    providers: () => usable().map(({ provider }) => provider),
    directoryChanged,
  });
  const me = new Me({
    store,
    directory,
    ledger,
    clock,
    upstreams: usable,
    publicUrl,
    timeZone: () => organisation.settings.timeZone,
    contact: () => organisation.settings.contact,
  });
  const paths = adminPaths({
    admin: (request, address) => admin.fetch(request, { address }),
    console: consolePages(async () => bundledConsole ?? (await bundleConsole(CHECKOUT))),
  });
  const client = new ClientPackage(publicUrl);
  const ofOwnPaths = {
    client: () => client.bytes(),
    identify: (headers: Headers, query?: string) => callers.of(headers, query),
    isReady: () => !inFlight.draining && journal.healthy,
    upstreams: usable,
    publicUrl,
    childKeys,
    authority: () => tls.authority?.certificate,
    proxy: proxy && ((key: string) => proxyAddress(proxy.publicUrl, key, vault)),
    claims,
    me: (holder: KeyHolder) => me.of(holder),
    token: tokenPath({ directory, hasher: vault, signer: vault, clock }),
  };
  const own = ownPaths({ ...ofOwnPaths, admin: adminListener === undefined ? paths : undefined });
  const { trustedProxies } = config;
  adminListener?.start({
    gateway: undefined,
    trustedProxies,
    own: ownPaths({ ...ofOwnPaths, admin: paths }),
    subdomains: new Map(),
  });
  const tell = tellLeaks({ store, webhook, directoryChanged, clock, report });
  const leaks = new LeakWatch({ directory, hasher: vault, clock, tell });
  const handlers: Handlers = {
    gateway: {
      upstreams,
      directory,
      hasher: vault,
      signer: vault,
      inFlight,
      limiter: new MemoryLimiter(),
      contact: () => organisation.settings.contact,
      homes: new MemoryHomes(),
      clock,
      publicUrl,
      trustedProxies,
      ledger,
      journal,
      jobs: store,
      objects,
      leaks,
      report,
      sender: upstreamProxy === undefined ? new UpstreamClient() : new ProxiedSender(upstreamProxy),
      prices: () => prices.book,
    },
    trustedProxies,
    own,
    subdomains: tls.subdomains,
  };
  listener.start(handlers);
  proxy?.start(handlers);
  const unfollow = tls.certificates?.follow((certificates) => {
    listener.renew(certificates);
    adminListener?.renew(certificates);
  });
  credentials.startProbing();
  const shownExports = existsSync(exports) ? exports : undefined;
  console.log(
    variant.greeting({
      version,
      publicUrl,
      upstreams,
      firstUser,
      exportsFile: shownExports,
      consoleUrl,
      consoleLink,
      proxyUrl: proxy?.publicUrl,
      fingerprint: tls.authority?.fingerprint,
    }),
  );
  const stopTls = async () => {
    unfollow?.();
    await proxy?.stop();
  };
  return {
    inFlight,
    listener,
    adminListener,
    stopTls,
    journal,
    stopChores: chores,
    webhook,
    credentials,
    store,
    data,
  };
}

async function stop(running: Running, drainMs: number): Promise<void> {
  const { inFlight, journal, webhook, credentials, store, data } = running;
  // A second signal does not wait for the streams.
  void nextSignal().then(() => inFlight.hurry());
  if (inFlight.size > 0) report(`Stopping; ${inFlight.size} requests have ${drainMs / 1000} s to end.`);
  credentials.stopProbing();
  const cut = await inFlight.drain(drainMs);
  if (cut > 0) report(`${cut} requests had not ended and were cut.`);
  await running.stopTls();
  await running.listener.stop();
  await running.adminListener?.stop();
  running.stopChores();
  webhook.stop();
  await journal.close();
  await store.close();
  data.release();
}

function nextSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  return promise;
}

/** Compares hashes, so that the time taken says nothing of where texts differ, nor of their length. */
function equals(secret: string): (text: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (text) => timingSafeEqual(digest(text), expected);
}

function report(message: string): void {
  console.error(`${new Date().toISOString()} ${message}`);
}
