// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of the software DMA engines, platform devices that config.c makes.
 */
#include <linux/platform_device.h>
#include <linux/string.h>

#include "engine.h"

static int soft_probe(struct platform_device *pdev)
{
	struct sva_sim_port *port;
	struct sim_engine *engine;

	/* driver_override can name any device. */
	if (strcmp(pdev->name, SVA_SIM_DRIVER_NAME))
		return -ENODEV;
	port = sva_sim_port_of(&pdev->dev);
	if (!port)
		return -ENODEV;

	engine = sim_engine_add(&pdev->dev, &sim_soft_ops, port,
				SVA_DEVICE_PAGE_REQUESTS);
	if (IS_ERR(engine))
		return PTR_ERR(engine);
	platform_set_drvdata(pdev, engine);
	return 0;
}

static void soft_remove(struct platform_device *pdev)
{
	sim_engine_remove(platform_get_drvdata(pdev));
}

static struct platform_driver soft_driver;

/**
 * sim_engine_show_name() - Tell the name of an engine's device node
 * @hw: The platform device
 * @buf: A page
 *
 * Return: length of what was printed, a line that is empty while this driver is
 * not bound.
 */
ssize_t sim_engine_show_name(struct device *hw, char *buf)
{
	struct sim_engine *engine = NULL;
	ssize_t len;

	device_lock(hw);
	if (hw->driver == &soft_driver.driver)
		engine = dev_get_drvdata(hw);
	len = sysfs_emit(buf, "%s\n", engine ? dev_name(&engine->dev) : "");
	device_unlock(hw);
	return len;
}

static struct platform_driver soft_driver = {
	.probe = soft_probe,
	.remove = soft_remove,
	.driver_managed_dma = true,
	.driver = {
		.name = SVA_SIM_DRIVER_NAME,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

int sim_soft_init(void)
{
	int ret = platform_driver_register(&soft_driver);

	if (ret)
		return ret;
	ret = sim_config_init();
	if (ret)
		platform_driver_unregister(&soft_driver);
	return ret;
}

void sim_soft_exit(void)
{
	sim_config_exit();
	platform_driver_unregister(&soft_driver);
}
