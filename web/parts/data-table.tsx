import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure, Lines } from "./feedback.tsx";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: "right";
  /** No wider than what is in it. */
  readonly tight?: boolean;
  /** Left out on a phone, where there is less room. */
  readonly minor?: boolean;
  /** A menu or buttons: on a phone it stands in the card's corner. */
  readonly actions?: boolean;
  /**
   * On a phone, where others get a line with their title: `corner` stands in the card's corner, `whole` has a line
   * without a title, `inline` shares one with others of its kind, and so does `pair`, with its title.
   */
  readonly phone?: "corner" | "whole" | "inline" | "pair";
}

interface Props<Row> {
  /** What the table is of, for those who do not see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  /** Opens a row; the row's first cell should hold a button or link that does the same. */
  readonly open?: (row: Row) => void;
  readonly rowClass?: (row: Row) => string | undefined;
}

/** A table; on a phone each row is a card. */
function DataTable<Row>({ caption, columns, rows, rowKey, open, rowClass }: Props<Row>) {
  return (
    <table className="data">
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, align, tight }) => (
            <th key={title} scope="col" className={classes(align === "right" && "right", tight && "tight")}>
              {title || <span className="unseen">Actions</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={rowKey(row)}
            className={rowClass?.(row)}
            {...(open && {
              "data-link": "",
              onClick: (event) => {
                if (!isControl(event.target)) open(row);
              },
            })}
          >
            {columns.map(({ title, cell, align, tight, minor, actions, phone }) => (
              <td
                key={title}
                data-label={title}
                className={classes(
                  align === "right" && "right",
                  tight && "tight",
                  minor && "minor",
                  actions && "actions",
                  phone && `phone-${phone}`,
                )}
              >
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A table of what a query gives: lines while it is asked, what there is to do where there is nothing. */
export function QueryTable<Row>(
  props: Omit<Props<Row>, "rows"> & { query: UseQueryResult<Row[]>; empty: ReactNode; footer?: ReactNode },
) {
  const { query, empty, footer, ...table } = props;
  return (
    <div className="table-card">
      {query.isPending ? (
        <Lines />
      ) : query.isError ? (
        <div style={{ padding: 16 }}>
          <Failure error={query.error} retry={() => void query.refetch()} />
        </div>
      ) : query.data.length === 0 ? (
        empty
      ) : (
        <>
          <div className="table-scroll">
            <DataTable {...table} rows={query.data} />
          </div>
          {footer}
        </>
      )}
    </div>
  );
}

function classes(...names: (string | false | undefined)[]): string | undefined {
  return names.filter(Boolean).join(" ") || undefined;
}

function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest("button, a, input, label, [role=menuitem]") !== null;
}
