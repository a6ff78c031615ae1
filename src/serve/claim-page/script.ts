import type { Setup, Setups } from "../../client/setup.ts";

/** What `/claim/key` answers. */
interface Made {
  readonly user: string;
  readonly key: string;
  readonly keyExpiresAt: string | null;
  readonly setups: Setups;
}

/**
 * The page's script. It runs in the browser as the text of this function, so that it needs no bundler, and is checked as
 * all else: it may use nothing of this module.
 */
function claimPage(): void {
  const token = location.hash.slice(1);
  const byId = (id: string) => document.getElementById(id) as HTMLElement;
  const button = byId("make") as HTMLButtonElement;
  const about = byId("about");

  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
      credentials: "omit",
    }).catch(() => undefined);
    if (response === undefined)
      throw new Error("The gateway does not answer. The link is as it was; try again in a moment.");
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    throw new Error(body.message ?? `The gateway failed (status ${response.status}). Try again in a moment.`);
  };

  const fail = (error: unknown) => {
    about.textContent = (error as Error).message;
    about.className = "bad";
  };

  const when = (text: string) =>
    new Date(text).toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });

  const bold = (text: string) => {
    const element = document.createElement("strong");
    element.textContent = text;
    return element;
  };

  const look = async () => {
    const { user, host, expiresAt } = (await ask("/claim/state")) as Record<string, string>;
    about.className = "";
    about.replaceChildren(
      "This link makes a key for ",
      bold(user ?? ""),
      ` at ${host}. It works once, until ${when(expiresAt ?? "")}.`,
    );
    button.hidden = false;
  };

  const copy = async (text: string, pressed: HTMLButtonElement) => {
    let says = "Copied";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP browsers keep the clipboard to themselves.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      if (!document.execCommand("copy")) says = "Select it";
      area.remove();
    }
    pressed.textContent = says;
    byId("copied").textContent = `${says}.`;
    setTimeout(() => {
      pressed.textContent = "Copy";
      byId("copied").textContent = "";
    }, 2000);
  };

  const codeBlock = (code: string, label: string) => {
    const block = document.createElement("div");
    block.className = "code";
    const text = document.createElement("pre");
    text.textContent = code;
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", label);
    const pressed = document.createElement("button");
    pressed.type = "button";
    pressed.className = "copy";
    pressed.textContent = "Copy";
    pressed.setAttribute("aria-label", `Copy: ${label}`);
    pressed.addEventListener("click", () => void copy(code, pressed));
    block.append(text, pressed);
    return block;
  };

  const offer = (section: HTMLElement, all: readonly Setup[], first: string) => {
    const steps = section.querySelector(".steps") as HTMLElement;
    const show = ({ title, steps: wanted }: Setup) => {
      steps.replaceChildren(
        ...wanted.flatMap(({ say, code }) => {
          const line = document.createElement("p");
          line.textContent = say;
          return [line, codeBlock(code, `${title}, ${say.replace(/:$/, "")}`)];
        }),
      );
    };
    for (const setup of all) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "radio";
      input.name = section.id;
      input.value = setup.id;
      input.checked = setup.id === first;
      input.addEventListener("change", () => show(setup));
      const name = document.createElement("span");
      name.textContent = setup.title;
      label.append(input, name);
      section.querySelector("fieldset")?.append(label);
    }
    const chosen = all.find(({ id }) => id === first);
    if (chosen !== undefined) show(chosen);
    section.hidden = all.length === 0;
  };

  const present = ({ user, key, keyExpiresAt, setups }: Made) => {
    // Of no use any more, and not to be kept in the history.
    history.replaceState(null, "", "/claim");
    const ends = keyExpiresAt === null ? "" : `, until ${when(keyExpiresAt)}`;
    byId("made-about").replaceChildren(
      "For ",
      bold(user),
      `${ends}. One key for every provider that is open to you.`,
    );
    byId("key").textContent = key;
    byId("ask").hidden = true;
    byId("made").hidden = false;
    offer(byId("shells"), setups.shells, /Windows/.test(navigator.userAgent) ? "powershell" : "sh");
    offer(byId("tools"), setups.tools, setups.tools[0]?.id ?? "");
    byId("made-title").focus();
    // Whoever leaves now has lost it.
    window.addEventListener("beforeunload", (event) => {
      if (!isCopied) event.preventDefault();
    });
  };

  let isCopied = false;
  document.addEventListener("copy", () => {
    isCopied = true;
  });
  for (const pressed of document.querySelectorAll<HTMLButtonElement>("[data-copies]")) {
    pressed.addEventListener("click", () => {
      isCopied = true;
      void copy(byId(pressed.dataset["copies"] ?? "").textContent ?? "", pressed);
    });
  }
  button.addEventListener("click", () => {
    button.disabled = true;
    ask("/claim/key")
      .then((made) => present(made as unknown as Made))
      .catch((error) => {
        fail(error);
        button.disabled = false;
        button.hidden = !/try again/i.test((error as Error).message);
      });
  });
  if (token === "")
    fail(new Error("This link is not whole. Open it exactly as it was sent, with all that follows the #."));
  else look().catch(fail);
}

export const script = `(${claimPage})();\n`;
