# Makes the tables of docs/blackout.md from the lines of bench/plugin/clock.c. With data=FILE it
# also writes the data of the plot there. It fails if a blackout did not have the SEAMCALLs of an
# update, or if one driver made fewer updates than the other. No time makes it fail.

# Add @x to the sorted values of @name.
function put(name, x, i)
{
	i = ++count[name]
	while (i > 1 && list[name, i - 1] > x) {
		list[name, i] = list[name, i - 1]
		i--
	}
	list[name, i] = x
}

function median(name, n)
{
	n = count[name]
	return n % 2 ? list[name, (n + 1) / 2] : (list[name, n / 2] + list[name, n / 2 + 1]) / 2
}

function least(name)
{
	return list[name, 1]
}

function most(name)
{
	return list[name, count[name]]
}

function fail(text)
{
	print "blackout.awk: " text >"/dev/stderr"
	failed = 1
	exit 1
}

function share(name)
{
	return sprintf("%.0f (%.0f to %.0f)", median(name), least(name), most(name))
}

function goal(text, form, value, cpus, bound)
{
	if (!cpus)
		printf "| %s | not measured | |\n", text
	else
		printf "| %s | at most " form ", on %d CPU%s | %s |\n", text, value, cpus,
			cpus == 1 ? "" : "s", value <= bound ? "yes" : "no"
}

$1 == "blackout" {
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
	n = value["cpus"]
	name = n " " value["driver"]
	# SHUTDOWN, INIT and UPDATE once, INSTALL and LP.INIT on each CPU. Mainline's driver also
	# reads four fields.
	calls = 2 * n + 3 + (value["driver"] == "mainline_tdx" ? 4 : 0)
	if (value["calls"] != calls)
		fail(name ": " value["calls"] " SEAMCALLs in a blackout, not " calls)
	if (!(n in known)) {
		known[n]
		sizes[++num_sizes] = n
	}
	path[name] = value["path"] / 1000
	put(name " blackout", value["ns"] / 1000)
	put(name " share", value["ns"] - value["path"])
}

END {
	if (failed)
		exit 1
	if (!num_sizes)
		fail("no figures")
	print "| CPUs | path | blackout | of path | share | mainline: path | blackout " \
		"| share | ratio |"
	print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
	for (i = 1; i <= num_sizes; i++) {
		n = sizes[i]
		ours = n " tdx_update"
		theirs = n " mainline_tdx"
		if (count[ours " share"] != count[theirs " share"])
			fail(n " CPUs: not as many updates by one driver as by the other")
		of_path = median(ours " blackout") / path[ours]
		ratio = median(ours " share") / median(theirs " share")
		printf "| %d | %.0f | %.1f | %.3f | %s ", n, path[ours],
			median(ours " blackout"), of_path, share(ours " share")
		printf "| %.0f | %.1f | %s | %.2f |\n", path[theirs],
			median(theirs " blackout"), share(theirs " share"), ratio
		if (of_path > worst_path) {
			worst_path = of_path
			worst_path_on = n
		}
		if (ratio > worst) {
			worst = ratio
			worst_on = n
		}
		if (n >= 8 && ratio > worst_many) {
			worst_many = ratio
			worst_many_on = n
		}
		if (data)
			print n, median(ours " share") / 1000, least(ours " share") / 1000, \
				most(ours " share") / 1000, median(theirs " share") / 1000, \
				least(theirs " share") / 1000, most(theirs " share") / 1000 >data
	}
	printf "\nUpdates by each driver on each count of CPUs: %d.\n\n", count[ours " share"]
	print "| goal | seen | reached |"
	print "| --- | --- | --- |"
	goal("at most 1.03 of the firmware's path", "%.3f", worst_path, worst_path_on, 1.03)
	goal("at no count slower than mainline's driver", "%.2f of its share", worst, worst_on, 1)
	goal("at most 0.7 of its share from 8 CPUs on", "%.2f", worst_many, worst_many_on, 0.7)
}
