# Makes tables of the lines that blackout.sh and the plugin print. A row is made of the figures of one
# boot, and says nothing of how fast the machine is that it was measured on.

function value(key, i)
{
	for (i = 1; i <= NF; i++)
		if (index($i, key "=") == 1)
			return substr($i, length(key) + 2)
	return ""
}

# The ratios of group @g under the name @n, sorted; then their median.
function put(g, n, x, i)
{
	i = ++count[g, n]
	while (i > 1 && list[g, n, i - 1] > x) {
		list[g, n, i] = list[g, n, i - 1]
		i--
	}
	list[g, n, i] = x
}

function median(g, n, c)
{
	c = count[g, n]
	if (!c)
		return 0
	return c % 2 ? list[g, n, (c + 1) / 2] : (list[g, n, c / 2] + list[g, n, c / 2 + 1]) / 2
}

function range(g, n, format)
{
	return sprintf(format " (" format " to " format ")", median(g, n), list[g, n, 1],
		list[g, n, count[g, n]])
}

function driver_name(d)
{
	return d == "tdx_update" ? "ours" : "comparison"
}

function cell(text, width)
{
	printf "| %-" width "s ", text
}

# Seen in this order.
/^figures / {
	driver = value("driver")
	mode = value("mode")
	where = mode " " value("cpus") " " value("tds")
	g = where " " driver
	if (!(where in known)) {
		known[where] = 1
		order[++places] = where
		mode_of[where] = mode
		cpus_of[where] = value("cpus")
		tds_of[where] = value("tds")
	}
	blackout = value("blackout")
	firmware = mode == "work" ? value("work") : value("path")
	put(g, "share", blackout - firmware)
	put(g, "blackout", 100 * blackout / firmware)
	put(g, "percent", 100 * (blackout - firmware) / firmware)
	put(g, "ends", 100 * value("ends") / firmware)
	put(g, "to_install", 100 * value("to_install") / firmware)
	put(g, "install", 100 * value("install") / firmware)
	put(g, "to_init", 100 * value("to_init") / firmware)
	put(g, "to_update", 100 * (value("to_update") - value("slowest")) / firmware)
	put(g, "outside", value("total") / blackout)
	put(g, "after", value("after") / blackout)
	put(g, "calls", value("calls"))
}

/^memory held/ {
	memory[++memories] = $0
}

# Of the plugin's clocks.
/^model / && value("path") {
	g = "model " value("cpus") " " value("driver")
	if (!(value("cpus") in models)) {
		models[value("cpus")] = 1
		sizes[++num_sizes] = value("cpus")
	}
	n = value("cpus")
	leaf = value("leaf")
	put(g, "blackout", value("blackout") / 1000)
	put(g, "path", value("path") / 1000)
	put(g, "share", value("blackout") - value("path"))
	put(g, "percent", 100 * (value("blackout") - value("path")) / value("path"))
	put(g, "quiesce", value("quiesce"))
	put(g, "to_install", value("to_install"))
	put(g, "install", n > 1 ? value("install") / (n - 1) : 0)
	put(g, "to_init", value("to_init"))
	put(g, "to_update", value("to_update"))
	put(g, "leave", value("leave"))
	put(g, "work", value("work") / n)
	put(g, "most", value("most"))
}

function wall(i, d, g, w, names, n)
{
	print "Blackout against the firmware's critical path, a leaf taking 20 us, each CPU of a guest"
	print "on one of the host's. Percentages of that path: median of N updates (least to most);"
	print "then the share by phase, medians."
	print ""
	cell("CPUs", 4); cell("driver", 10); cell("N", 3); cell("blackout", 22); cell("our share", 22)
	cell("ends", 5); cell("to INSTALL", 10); cell("between INSTALLs", 16); cell("to SYS.INIT", 11)
	cell("LP.INIT, to UPDATE", 18); cell("SEAMCALLs", 9)
	print "|"
	print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= places; i++) {
		w = order[i]
		if (mode_of[w] != "wall")
			continue
		for (d = 1; d <= 2; d++) {
			g = w " " (d == 1 ? "tdx_update" : "tdx_update_locked")
			if (!count[g, "share"])
				continue
			cell(cpus_of[w], 4)
			cell(d == 1 ? "ours" : "comparison", 10)
			cell(count[g, "share"], 3)
			cell(range(g, "blackout", "%.0f"), 22)
			cell(range(g, "percent", "%.1f"), 22)
			cell(sprintf("%.1f", median(g, "ends")), 5)
			cell(sprintf("%.1f", median(g, "to_install")), 10)
			cell(sprintf("%.1f", median(g, "install")), 16)
			cell(sprintf("%.1f", median(g, "to_init")), 11)
			cell(sprintf("%.1f", median(g, "to_update")), 18)
			cell(median(g, "calls"), 9)
			print "|"
		}
	}
	print ""
}

function work(i, w, ours, theirs, first_ours, first_theirs, last_ours, last_theirs, last)
{
	print "Work of all CPUs that is not the firmware's, waiting included, a leaf taking no time, CPUs"
	print "by turns on one of the host's. In shares of ours on 1 CPU: median of N updates (least to"
	print "most)."
	print ""
	cell("CPUs", 4); cell("N", 7); cell("ours", 22); cell("comparison", 22); cell("ours/comparison", 15)
	print "|"
	print "| --- | --- | --- | --- | --- |"
	for (i = 1; i <= places; i++) {
		w = order[i]
		if (mode_of[w] != "work")
			continue
		ours = w " tdx_update"
		theirs = w " tdx_update_locked"
		if (!unit)
			unit = median(ours, "share")
		cell(cpus_of[w], 4)
		cell(count[ours, "share"] "+" count[theirs, "share"], 7)
		cell(sprintf("%.2f (%.2f to %.2f)", median(ours, "share") / unit, list[ours, "share", 1] / unit,
			list[ours, "share", count[ours, "share"]] / unit), 22)
		cell(sprintf("%.2f (%.2f to %.2f)", median(theirs, "share") / unit, list[theirs, "share", 1] / unit,
			list[theirs, "share", count[theirs, "share"]] / unit), 22)
		cell(sprintf("%.2f", median(ours, "share") / median(theirs, "share")), 15)
		print "|"
	}
	print ""
}

function tds(i, w, ours, theirs)
{
	print "With TDs alive, 2 CPUs, as the first table. Time outside and after in blackouts."
	print ""
	cell("TDs", 4); cell("N", 7); cell("our share", 20); cell("comparison's", 20); cell("ours: before", 12)
	cell("after", 6)
	print "|"
	print "| --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= places; i++) {
		w = order[i]
		if (mode_of[w] != "tds")
			continue
		ours = w " tdx_update"
		theirs = w " tdx_update_locked"
		cell(tds_of[w], 4)
		cell(count[ours, "share"] "+" count[theirs, "share"], 7)
		cell(range(ours, "percent", "%.1f"), 20)
		cell(range(theirs, "percent", "%.1f"), 20)
		cell(sprintf("%.1f", median(ours, "outside") - median(ours, "after") - 1), 12)
		cell(sprintf("%.1f", median(ours, "after")), 6)
		print "|"
	}
	print ""
	for (i = 1; i <= places; i++) {
		w = order[i]
		g = w " tdx_update"
		if (mode_of[w] == "refused")
			printf "A refused race on %d CPUs: %d SEAMCALL in the blackout (at most %d), " \
				"which takes %s %% of that call's time (N=%d).\n", cpus_of[w],
				median(g, "calls"), list[g, "calls", count[g, "calls"]],
				range(g, "blackout", "%.0f"), count[g, "share"]
	}
	print ""
	for (i = 1; i <= memories; i++)
		print "- " memory[i]
}

function model(i, d, g, ours, theirs)
{
	printf "On the plugin's clocks, a leaf taking %d ns: blackout and firmware's critical path in us, our share\n",
		leaf
	print "in ns, median of N updates (least to most); its phases, medians; and instructions that are no waiting."
	print ""
	cell("CPUs", 4); cell("driver", 10); cell("N", 3); cell("blackout", 8); cell("path", 7)
	cell("our share", 22); cell("of path", 7)
	cell("quiesce", 7); cell("to INSTALL", 10); cell("a hand-over", 11); cell("to SYS.INIT", 11)
	cell("LP.INIT", 7); cell("leave", 5); cell("instr. a CPU", 12); cell("at most", 7)
	cell("ours/comparison", 15)
	print "|"
	print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= num_sizes; i++) {
		ours = "model " sizes[i] " tdx_update"
		theirs = ours "_locked"
		for (d = 1; d <= 2; d++) {
			g = d == 1 ? ours : theirs
			cell(sizes[i], 4)
			cell(d == 1 ? "ours" : "comparison", 10)
			cell(count[g, "share"], 3)
			cell(sprintf("%.1f", median(g, "blackout")), 8)
			cell(sprintf("%.0f", median(g, "path")), 7)
			cell(range(g, "share", "%.0f"), 22)
			cell(sprintf("%.1f %%", median(g, "percent")), 7)
			cell(sprintf("%.0f", median(g, "quiesce")), 7)
			cell(sprintf("%.0f", median(g, "to_install")), 10)
			cell(sprintf("%.0f", median(g, "install")), 11)
			cell(sprintf("%.0f", median(g, "to_init")), 11)
			cell(sprintf("%.0f", median(g, "to_update")), 7)
			cell(sprintf("%.0f", median(g, "leave")), 5)
			cell(sprintf("%.0f", median(g, "work")), 12)
			cell(sprintf("%.0f", median(g, "most")), 7)
			cell(d == 1 ? sprintf("%.2f", median(ours, "share") / median(theirs, "share")) : "", 15)
			print "|"
		}
		if (data)
			print sizes[i], median(ours, "share") / 1000, list[ours, "share", 1] / 1000,
				list[ours, "share", count[ours, "share"]] / 1000,
				median(theirs, "share") / 1000, list[theirs, "share", 1] / 1000,
				list[theirs, "share", count[theirs, "share"]] / 1000 >data
	}
	print ""
	if (num_sizes > 1)
		printf "From %d to %d CPUs each further one costs ours %.0f ns, the comparison %.0f.\n\n", sizes[1],
			sizes[num_sizes], slope("tdx_update"), slope("tdx_update_locked")
}

function slope(driver, from, to)
{
	from = sizes[1]
	to = sizes[num_sizes]
	return (median("model " to " " driver, "share") - median("model " from " " driver, "share")) / (to - from)
}

END {
	for (i = 1; i <= places; i++)
		has[mode_of[order[i]]] = 1
	if (has["wall"])
		wall()
	if (num_sizes)
		model()
	if (has["work"])
		work()
	if (has["tds"])
		tds()
}
