import { ActionIcon, Tooltip } from "@mantine/core";
import { useState } from "react";
import { tell, tellProblem } from "./feedback.tsx";
import { Icon } from "./icons.tsx";

function useCopy(what: string) {
  const [copied, setCopied] = useState(false);
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return tellProblem(new Error("The browser did not let it be copied; mark it and copy it by hand."));
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 1600);
    tell(`${what} copied`);
  };
  return { copied, copy };
}

function CopyIcon({ text, what }: { text: string; what: string }) {
  const { copied, copy } = useCopy(what);
  return (
    <Tooltip label={copied ? "Copied" : "Copy"}>
      <ActionIcon aria-label={`Copy ${what.toLowerCase()}`} onClick={() => void copy(text)} size="sm">
        <Icon name={copied ? "check" : "copy"} size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Something to paste elsewhere. @param shown In its place on the page, where the text itself should not stand there. */
export function Code({
  text,
  what,
  wrap,
  shown = text,
}: {
  text: string;
  what: string;
  wrap?: boolean;
  shown?: string;
}) {
  return (
    <div className="code">
      <pre {...(wrap ? { "data-wrap": "" } : { tabIndex: 0 })}>{shown}</pre>
      <CopyIcon text={text} what={what} />
    </div>
  );
}
