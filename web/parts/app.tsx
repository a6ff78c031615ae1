import { Center, Skeleton } from "@mantine/core";
import { Redirect, Route, Switch } from "wouter";
import { Audit } from "../pages/audit.tsx";
import { Home } from "../pages/home.tsx";
import { Keys } from "../pages/keys.tsx";
import { Me } from "../pages/me.tsx";
import { Policies } from "../pages/policies.tsx";
import { Prices } from "../pages/prices.tsx";
import { Providers } from "../pages/providers.tsx";
import { Requests } from "../pages/requests.tsx";
import { Settings } from "../pages/settings.tsx";
import { SignIn } from "../pages/sign-in.tsx";
import { Users } from "../pages/users.tsx";
import { Welcome } from "../pages/welcome.tsx";
import { Empty, Failure } from "./feedback.tsx";
import { Page } from "./page.tsx";
import { SessionProvider, useSession, useSignedIn } from "./session.tsx";
import { Shell } from "./shell.tsx";

/** Whoever is signed in gets the console, everybody else the way in. */
export function App() {
  const session = useSignedIn();
  if (session.isPending) {
    return (
      <Center h="100dvh" role="status" aria-label="Loading">
        <Skeleton w={220} h={12} />
      </Center>
    );
  }
  if (session.isError) {
    return (
      <main className="page">
        <h1 className="unseen">LlaMaKey</h1>
        <Failure error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (session.data === null) return <SignIn />;
  return (
    <SessionProvider session={session.data}>
      <Shell>
        <Pages />
      </Shell>
    </SessionProvider>
  );
}

function Pages() {
  const isMember = useSession().user.role === "member";
  return (
    <Switch>
      <Route path="/me/:tab?">{({ tab }) => <Me tab={tab} />}</Route>
      <Route path="/sign-in">
        <Redirect to="/" replace />
      </Route>
      {isMember ? (
        <Route>
          <Redirect to="/me" replace />
        </Route>
      ) : (
        <Switch>
          <Route path="/" component={Home} />
          <Route path="/welcome" component={Welcome} />
          <Route path="/requests/:id?">{({ id }) => <Requests id={id} />}</Route>
          <Route path="/users/:id?">{({ id }) => <Users id={id} />}</Route>
          <Route path="/keys" component={Keys} />
          <Route path="/providers/:id?">{({ id }) => <Providers id={id} />}</Route>
          <Route path="/policies/:scope?">{({ scope }) => <Policies scope={scope} />}</Route>
          <Route path="/prices" component={Prices} />
          <Route path="/audit" component={Audit} />
          <Route path="/settings" component={Settings} />
          <Route>
            <Page title="Nothing here">
              <Empty icon="search" title="There is no such page">
                The address may be from another version. The menu has all there is.
              </Empty>
            </Page>
          </Route>
        </Switch>
      )}
    </Switch>
  );
}
