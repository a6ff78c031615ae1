import { Text } from "@mantine/core";
import type { ReactNode } from "react";

/** A name and what it is, in a grid of such. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="tile">
      <Text component="dt" size="xs" c="dimmed" fw={550}>
        {name}
      </Text>
      <Text component="dd" m={0} mt={4} size="sm" mih={22}>
        {children}
      </Text>
    </div>
  );
}
