# Makes the tables of docs/comparison.md from the lines that guest-compare.sh prints. Fails if
# tdx_update does worse than mainline's driver in a row.

# Print a line of the table of faults, for one leaf or for all.
function faults(kind, leaf, what, i)
{
	printf "| %s | %d |", leaf, rows[kind, leaf]
	for (what = 1; what <= 3; what++)
		for (i = 1; i <= 3; i++)
			printf " %d %s", sum[kind, leaf, ways[i], figures[what]], i < 3 ? "/" : "|"
	print ""
}

# Return the distinct names of a way, most frequent first.
function names(way, n, best, text, i)
{
	for (;;) {
		best = ""
		for (i in count)
			if (split(i, part, SUBSEP) && part[1] == way && !(i in done) &&
			    (best == "" || count[i] > count[best] || (count[i] == count[best] && i < best)))
				best = i
		if (best == "")
			break
		done[best]
		split(best, part, SUBSEP)
		text = text (n++ ? ", " : "") "`" part[2] "` " count[best]
	}
	return n " | " text
}

BEGIN {
	split("mainline ours recovery", ways)
	split("alive open back", figures)
	split("SEAMLDR.INSTALL TDH.SYS.INIT TDH.SYS.LP.INIT TDH.SYS.UPDATE", leaves)
}

$1 == "row" {
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
	way = value["way"]
	kind = value["kind"]
	what = value["what"]
	key = kind " " what " " (kind ~ /once|image$/ ? value["status"] " " value["rdx"] " " value["cpu"] : "")
	alive[way, key] = value["alive"]
	open[way, key] = value["open"]
	back[way, key] = value["back"]
	name[way, key] = value["name"]
	if (way == "ours")
		keys[++num_keys] = key
	if (value["name"] != "none") {
		side = way == "mainline" ? way : "ours"
		count[side, value["name"]]++
	}
	if (kind == "refused" || kind == "platform" || what == "TDH.SYS.SHUTDOWN")
		next
	if (way == "mainline") {
		rows[kind, what]++
		rows[kind, "all"]++
	}
	for (i = 1; i <= 3; i++) {
		sum[kind, what, way, figures[i]] += value[figures[i]]
		sum[kind, "all", way, figures[i]] += value[figures[i]]
	}
}

END {
	print "Linux " version ", 4 CPUs."
	print ""
	print "### Faults past the shutdown"
	print ""
	print "Three figures in a cell: mainline / ours / ours with a recovery image."
	print ""
	for (k = 1; k <= 2; k++) {
		kind = k == 1 ? "once" : "image"
		if (k == 1)
			print "The fault comes once."
		else
			print "The fault comes each time while the image is tried. The recovery image does not have it."
		print ""
		print "| the SEAMCALL that fails | rows | TD alive | session left open " \
			"| TDX runs after one more update |"
		print "| --- | --- | --- | --- | --- |"
		for (l = 1; l <= 4; l++)
			faults(kind, leaves[l])
		faults(kind, "all")
		print ""
	}

	print "### Failures that can be foreseen"
	print ""
	print "| what is wrong | mainline reports | TD alive | TDX runs after one more update " \
		"| ours reports | TD alive | TDX runs after one more update |"
	print "| --- | --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= num_keys; i++) {
		key = keys[i]
		if (key !~ /^(refused|platform)/)
			continue
		split(key, part, " ")
		print "| " part[2] " | " told("mainline", key) " | " told("ours", key) " |"
	}
	print ""
	print "### Names"
	print ""
	print "| | names | how often, in all rows |"
	print "| --- | --- | --- |"
	print "| mainline | " names("mainline") " |"
	print "| ours | " names("ours") " |"
	print ""
	print "### Rows in which ours does worse than mainline"
	print ""
	for (i = 1; i <= num_keys; i++)
		for (w = 2; w <= 3; w++)
			if (worse(ways[w], keys[i])) {
				print "- " (w == 2 ? "ours" : "ours with a recovery image") ": " keys[i]
				status = 1
			}
	if (!status)
		print "None."
	if (!num_keys)
		status = 1
	exit status
}

function told(way, key)
{
	return (name[way, key] == "none" ? "success" : "`" name[way, key] "`") " | " \
		(alive[way, key] + 0 ? "yes" : "no") " | " (back[way, key] + 0 ? "yes" : "no")
}

function worse(way, key)
{
	return alive[way, key] < alive["mainline", key] || open[way, key] > open["mainline", key] ||
		back[way, key] < back["mainline", key]
}
